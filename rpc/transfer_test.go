package rpc_test

import "github.com/staunchid/staunch/account"

const movePath = "/staunch.transfer.v1.TransferService/"

// moveTests has every method of moves but Received, which is not the flows'. Calls
// of the current phone are signed; those of the new one, and of a phone that is
// signed out, bear a token in the message.
func moveTests() []methodTest {
	const (
		view  = `{"view":{"transfer":"t_","state":"TRANSFER_STATE_HELD","version":"7","holdReasons":["class"],"opensAt":"AT","at":"AT","peer":"Pixel 10"}}`
		turn  = `"transfer":"t_","token":"TOKEN32","envelope":"eA=="`
		asked = `"t_ x"`
	)
	return []methodTest{
		{movePath + "Begin", `{}`, "", account.Anonymous, `BeginMove`, `{"challenge":"AQ==","expiresAt":"AT","at":"AT","offerSeconds":"120","audience":"demo@example.org"}`},
		{movePath + "Offer", `{"envelope":"eA==","token":"TOKEN32"}`, "", account.Anonymous, `OfferMove "x" "127.0.0.0/24"`, view},
		{
			movePath + "Claim", `{"transfer":"t_","token":"TOKEN32"}`, byPhone, account.Phone, `ClaimMove "t_"`,
			view[:len(view)-1] + `,"offer":"AQ==","verdict":"WARN","findings":["android.x"],"sameNetwork":true,"audience":"demo@example.org","recallSeconds":"3600"}`,
		},
		{movePath + "Hello", `{` + turn + `}`, byPhone, account.Phone, `HelloMove ` + asked, view},
		{movePath + "Answer", `{` + turn + `}`, "", account.Anonymous, `AnswerMove ` + asked, view[:len(view)-1] + `,"ceremony":"y_","options":"{}"}`},
		{movePath + "Match", `{` + turn + `,"ceremony":"y_"}`, "", account.Anonymous, `MatchMove ` + asked + ` "y_"`, view},
		{movePath + "Confirm", `{` + turn + `,"holdShare":"TOKEN32"}`, byPhone, account.Phone, `ConfirmMove ` + asked + ` 31`, view},
		{movePath + "Revise", `{"transfer":"t_","token":"TOKEN32","revision":2,"bytes":"9"}`, byPhone, account.Phone, `ReviseMove "t_ " 2 9`, view},
		{movePath + "Seal", `{` + turn + `,"commitShare":"TOKEN32","sealed":"AQ=="}`, byPhone, account.Phone, `SealMove ` + asked + ` 31 "AQ=="`, view},
		{
			movePath + "Commit", `{` + turn + `}`, "", account.Anonymous, `CommitMove ` + asked,
			view[:len(view)-1] + `,"signed":{"account":"a_","device":"d_"}}`,
		},
		{movePath + "Acknowledge", `{` + turn + `}`, "", account.Anonymous, `AckMove ` + asked, view},
		{movePath + "Recall", `{` + turn + `}`, "", account.Anonymous, `RecallMove ` + asked, view},
		{movePath + "Finalize", `{` + turn + `}`, "", account.Anonymous, `FinishMove ` + asked, view},
		{movePath + "Cancel", `{"transfer":"t_","token":"TOKEN32","reason":"no_space"}`, "", account.Anonymous, `CancelMove "t_" 31 "no_space"`, view},
		{movePath + "Cancel", `{"transfer":"t_"}`, byPhone, account.Phone, `CancelMove "t_" 0 ""`, view},
		{movePath + "Wait", `{"transfer":"t_","token":"TOKEN32","afterVersion":"6","seconds":25}`, "", account.Anonymous, `WaitMove "t_" 31 6 25000000000`, view},
		{movePath + "Wait", `{"transfer":"t_"}`, byPhone, account.Phone, `WaitMove "t_" 0 0 0`, view},
		{movePath + "ListTransfers", `{}`, byPhone, account.Phone, `Moves`, `{"transfers":[` + view[len(`{"view":`):len(view)-1] + `]}`},
	}
}
