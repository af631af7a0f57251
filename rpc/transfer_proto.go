package rpc

import (
	"net/netip"
	"strings"

	"connectrpc.com/connect"

	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer"
)

// answerTo makes the answer of a call that gives a view.
func answerTo[M any](v *transfer.View, err error, m func(*transferv1.View) *M) (*connect.Response[M], error) {
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(m(moveToProto(v))), nil
}

// transferStateToProto relies on the enumeration having our names; a test walks all
// of them.
func transferStateToProto(s transfer.State) transferv1.TransferState {
	return transferv1.TransferState(transferv1.TransferState_value["TRANSFER_STATE_"+strings.ToUpper(string(s))])
}

func moveToProto(v *transfer.View) *transferv1.View {
	m := &transferv1.View{
		Transfer: string(v.ID), State: transferStateToProto(v.State), Version: v.Version, Reason: string(v.Reason), HoldReasons: v.HoldReasons,
		OpensAt: timeToProto(v.Opens), RecallUntil: timeToProto(v.RecallUntil), At: timeToProto(v.At), Deadline: timeToProto(v.Deadline),
		Revision: v.Revision, BytesExpected: v.BytesExpected, BytesStored: v.BytesStored, BytesAcked: v.BytesAcked, RecordAcked: v.RecordAcked,
		HoldShare: v.HoldShare, Sealed: v.Sealed, CommitShare: v.CommitShare, Peer: v.Peer, Place: v.Place, CreatedAt: timeToProto(v.CreatedAt),
	}
	for _, e := range v.Envelopes {
		m.Envelopes = append(m.Envelopes, &transferv1.Envelope{Step: string(e.Step), Bytes: e.Envelope})
	}
	return m
}

// placeText says where a phone is: its network, and behind a comma its country, each
// as far as it is known.
func placeText(in *received) string {
	network := networkText(in.address)
	if network == "" || in.country == "" {
		return network + in.country
	}
	return network + ", " + in.country
}

// networkText says where an address is, as far as this server knows: its network, an
// IPv4 /24 or IPv6 /48.
func networkText(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	net, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return net.String()
}
