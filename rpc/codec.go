package rpc

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Connect calls the interceptors after decoding, and sends a decoding error to
// the client with the names of Go types in it. So the codecs here do not fail:
// they mark the message as unreadable, and the interceptor refuses it like any
// other bad request, with a reason, a line in the log and a count.
//
// The mark is an unknown field with a number that no message of ours has. A
// client that sends it itself is refused too, as for any unknown field.
const markField protowire.Number = 536870911 // the highest there is

func mark(m proto.Message, err error) {
	proto.Reset(m)
	b := protowire.AppendTag(nil, markField, protowire.BytesType)
	m.ProtoReflect().SetUnknown(protowire.AppendString(b, err.Error()))
}

// unreadable reports why m cannot be used, or nil.
func unreadable(m proto.Message) error {
	num, typ, n := protowire.ConsumeTag(m.ProtoReflect().GetUnknown())
	if n <= 0 {
		return unknownField(m.ProtoReflect())
	}
	if num == markField && typ == protowire.BytesType {
		if text, n := protowire.ConsumeString(m.ProtoReflect().GetUnknown()[n:]); n > 0 {
			return errRequestf("%s", text)
		}
	}
	return errRequestf("unknown field %d", num)
}

// unknownField looks for one in the messages inside m.
func unknownField(m protoreflect.Message) (err error) {
	if num, _, n := protowire.ConsumeTag(m.GetUnknown()); n > 0 {
		return errRequestf("unknown field %d in %s", num, m.Descriptor().Name())
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil || fd.IsMap():
		case fd.IsList():
			for i := range v.List().Len() {
				if err = unknownField(v.List().Get(i).Message()); err != nil {
					return false
				}
			}
		default:
			err = unknownField(v.Message())
		}
		return err == nil
	})
	return err
}

func errRequestf(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errRequest}, args...)...)
}

// protoCodec is the binary form.
type protoCodec struct{}

func (protoCodec) Name() string { return "proto" }

func (protoCodec) Marshal(m any) ([]byte, error) {
	msg, ok := m.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("rpc: %T is no message", m)
	}
	return proto.Marshal(msg)
}

func (protoCodec) Unmarshal(data []byte, m any) error {
	msg, ok := m.(proto.Message)
	if !ok {
		return fmt.Errorf("rpc: %T is no message", m)
	}
	if proto.Unmarshal(data, msg) != nil {
		mark(msg, errors.New("not a message of this call in the protobuf format"))
	}
	return nil
}

// jsonCodec is the JSON form.
type jsonCodec struct{ name string }

func (c jsonCodec) Name() string { return c.name }

func (jsonCodec) Marshal(m any) ([]byte, error) {
	msg, ok := m.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("rpc: %T is no message", m)
	}
	return protojson.Marshal(msg)
}

func (jsonCodec) Unmarshal(data []byte, m any) error {
	msg, ok := m.(proto.Message)
	if !ok {
		return fmt.Errorf("rpc: %T is no message", m)
	}
	if len(data) == 0 {
		mark(msg, errors.New("the body is empty; send a JSON object"))
		return nil
	}
	if err := protojson.Unmarshal(data, msg); err != nil {
		mark(msg, errors.New(strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")))
	}
	return nil
}
