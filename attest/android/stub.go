package android
type StatusList struct{}
type Cache struct{}
type KeyDescription struct{}
