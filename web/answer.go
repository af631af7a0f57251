package web

import (
	"encoding/json"
	"net/http"
)

// problem is the body of an answer that is not the one asked for.
type problem struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Need    string `json:"need,omitempty"` // of STEP_UP_REQUIRED: the class that is missing
}

func refuse(w http.ResponseWriter, code int, reason, message string) {
	write(w, code, problem{Reason: reason, Message: message})
}

func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
