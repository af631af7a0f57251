package rpc_test

import "github.com/staunchid/staunch/account"

// methodTests has every unary method of accounts and passkeys. Identifiers are
// short, as the function of that name makes them.
func methodTests() []methodTest {
	return []methodTest{
		{
			accountPath + "BeginEnrol", `{}`, "", account.Anonymous,
			`BeginEnrol null`,
			`{"ceremony":"y_","options":"{\"challenge\":\"x\"}","challenge":"AQ==","account":"a_","expiresAt":"AT","app":"demo"}`,
		},
		{
			accountPath + "FinishEnrol", `{"ceremony":"y_","response":"{}","phone":{"name":"Pixel","platform":"PLATFORM_ANDROID","challenge":"AQ==","certificateChain":{"certificates":["MAA="]},"hints":{"model":"M"},"sealingAlg":"X","sealingKey":"AQ=="}}`, byPhone, account.Anonymous,
			`FinishEnrol {"Ceremony":"y_","Phone":{"Evidence":{"CertificateChain":["MAA="],"Challenge":"AQ==","Hints":{"Model":"M"}},"Message":SIGNED,"Name":"Pixel","Platform":"android","SealingAlg":"X","SealingKey":"AQ=="},"Response":"e30="}`,
			`{"signed":{"account":"a_","accountState":"STATE_ACTIVE","device":"d_","deviceState":"STATE_HELD","passkey":"c_","session":"s_","token":"TOKEN","until":"AT","class":"CLASS_PERSON","hold":{"reason":"HOLD_REASON_NEW","since":"AT","until":"AT"},"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}},"freezeCode":"aeaa-aaaa-aaaa-aaaa","name":"Pixel","platform":"PLATFORM_ANDROID","enrolledAt":"AT"}`,
		},
		{
			accountPath + "BeginDevice", `{}`, "", account.Anonymous,
			`BeginDevice`,
			`{"challenge":"AQ==","expiresAt":"AT","app":"demo"}`,
		},
		{
			accountPath + "BeginDevice", `{}`, byPhone, account.Phone,
			`BeginDevice`,
			`{"challenge":"AQ==","expiresAt":"AT","app":"demo"}`,
		},
		{
			accountPath + "Reattest", `{"phone":{"platform":"PLATFORM_IOS","challenge":"AQ==","attestationObject":"oA==","keyId":"ab+/="},"oldProof":"Ag=="}`, byPhone, account.Anonymous,
			`Reattest {"Evidence":{"AttestationObject":"oA==","Challenge":"AQ==","KeyID":"ab-_"},"Message":SIGNED,"Platform":"ios"} "Ag=="`,
			`{}`,
		},
		{
			accountPath + "GetStatus", `{}`, byPhone, account.Phone,
			`Status`,
			`{"account":"a_","accountState":"STATE_FROZEN","device":"d_","name":"Pixel","platform":"PLATFORM_IOS","deviceState":"STATE_LOCKED","hold":{"reason":"HOLD_REASON_RECOVERED","since":"AT","left":"90s"},"class":"CLASS_DEVICE","serverTime":"AT","rest":{"othersHeld":[{"device":"d_","name":"New","hold":{"reason":"HOLD_REASON_NEW","until":"AT"},"mayVeto":true}],"pending":[{"pending":"p_","action":"account.delete","device":"d_","opensAt":"AT"}],"passkeys":1,"devices":2,"alertsUnread":3,"advice":["reattest"]}}`,
		},
		{
			accountPath + "GetAccount", `{}`, byPhone, account.Phone,
			`Account`,
			`{"account":{"account":"a_","handle":"ada","state":"STATE_ACTIVE","createdAt":"AT"},"devices":[{"device":"d_","name":"Pixel","platform":"PLATFORM_ANDROID","state":"STATE_ACTIVE","tier":"TIER_AFFIRMING","this":true,"addedAt":"AT","sealingAlg":"X","sealingKey":"AQ=="}],"passkeys":[{"passkey":"c_","name":"k","provider":"P","synced":true,"state":"PASSKEY_STATE_SUSPECT","devices":["d_"],"addedAt":"AT"}],"sessions":[{"session":"s_","kind":"SESSION_KIND_BROWSER","label":"Chromium","place":"Berlin","class":"CLASS_GUEST","this":true,"createdAt":"AT","until":"AT"}]}`,
		},
		{
			accountPath + "ListDevices", `{}`, byPhone, account.Phone,
			`Devices`,
			`{"devices":[{"device":"d_","name":"Pixel","platform":"PLATFORM_ANDROID","state":"STATE_ACTIVE","tier":"TIER_AFFIRMING","this":true,"older":true,"sessions":2,"addedAt":"AT","sealingAlg":"X","sealingKey":"AQ=="}]}`,
		},
		{
			accountPath + "ListSessions", `{}`, byPhone, account.Phone,
			`Devices`,
			`{"sessions":[{"session":"s_","kind":"SESSION_KIND_BROWSER","label":"Chromium","place":"Berlin","class":"CLASS_GUEST","this":true,"createdAt":"AT","until":"AT"}]}`,
		},
		{
			accountPath + "ListAlerts", `{"after":"3"}`, byPhone, account.Phone,
			`Alerts 3 100`,
			`{}`,
		},
		{
			accountPath + "ListAlerts", `{"limit":500}`, byPhone, account.Phone,
			`Alerts 0 500`,
			`{}`,
		},
		{
			accountPath + "AckAlerts", `{"seq":"5"}`, byPhone, account.Phone,
			`AckAlerts 5`,
			`{}`,
		},
		{
			accountPath + "Rename", `{"device":"d_","name":"N"}`, byPhone, account.Phone,
			`RenameDevice "d_" "N"`,
			`{}`,
		},
		{
			accountPath + "Freeze", `{}`, byPhone, account.Phone,
			`Freeze`,
			`{"state":"STATE_FROZEN","changed":true}`,
		},
		{
			accountPath + "Freeze", `{"device":"d_"}`, byPhone, account.Phone,
			`FreezeDevice "d_"`,
			`{"state":"STATE_FROZEN","changed":true}`,
		},
		{
			accountPath + "FreezeByCode", `{"code":"aaaa-"}`, "", account.Anonymous,
			`FreezeByCode "aaaa-"`,
			`{}`,
		},
		{
			accountPath + "ProposeAction", `{"action":"device.remove","params":"{\"device\": \"x\"}"}`, byPhone, account.Phone,
			`Propose "device.remove" "{\"device\": \"x\"}" null`,
			`{"approval":{"approval":"v_","account":"a_","action":"app.pay","params":"{\"n\":1}","text":"Pay 1?","need":"CLASS_BOUND","state":"APPROVAL_STATE_CONFIRMED","askedBy":"backend","askedByDevice":"d_","createdAt":"AT","expiresAt":"AT","endedAt":"AT"},"preimage":{"app":"demo","account":"a_","approval":"v_","action":"app.pay","params":"e30=","text":"Pay 1?","nonce":"CQ==","expires":"1795348800"},"ceremony":"y_","options":"{}"}`,
		},
		{
			accountPath + "ProposeAction", `{"approval":"v_"}`, byPhone, account.Phone,
			`OpenApproval "v_" null`,
			`{"approval":{"approval":"v_","account":"a_","action":"app.pay","params":"{\"n\":1}","text":"Pay 1?","need":"CLASS_BOUND","state":"APPROVAL_STATE_CONFIRMED","askedBy":"backend","askedByDevice":"d_","createdAt":"AT","expiresAt":"AT","endedAt":"AT"},"preimage":{"app":"demo","account":"a_","approval":"v_","action":"app.pay","params":"e30=","text":"Pay 1?","nonce":"CQ==","expires":"1795348800"},"ceremony":"y_","options":"{}"}`,
		},
		{
			accountPath + "ConfirmAction", `{"approval":"v_","response":"{}"}`, byPhone, account.Phone,
			`Confirm {"Approval":"v_","Response":"e30="}`,
			`{"approval":{"approval":"v_","account":"a_","action":"app.pay","params":"{\"n\":1}","text":"Pay 1?","need":"CLASS_BOUND","state":"APPROVAL_STATE_CONFIRMED","askedBy":"backend","askedByDevice":"d_","createdAt":"AT","expiresAt":"AT","endedAt":"AT"},"result":"{\"freeze_code\":\"abcd\"}","signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}`,
		},
		{
			accountPath + "ProposeAction", `{"action":"device.reattest","params":"{}"}`, byPhone, account.Phone,
			`Propose "device.reattest" "{}" null`,
			`{"approval":{"approval":"v_","account":"a_","action":"app.pay","params":"{\"n\":1}","text":"Pay 1?","need":"CLASS_BOUND","state":"APPROVAL_STATE_CONFIRMED","askedBy":"backend","askedByDevice":"d_","createdAt":"AT","expiresAt":"AT","endedAt":"AT"},"preimage":{"app":"demo","account":"a_","approval":"v_","action":"app.pay","params":"e30=","text":"Pay 1?","nonce":"CQ==","expires":"1795348800"},"ceremony":"y_","options":"{}"}`,
		},
		{
			accountPath + "ConfirmAction", `{"approval":"v_","response":"{}","locked":true}`, byPhone, account.Phone,
			`Confirm {"Approval":"v_","Response":"e30="}`,
			`{"approval":{"approval":"v_","account":"a_","action":"app.pay","params":"{\"n\":1}","text":"Pay 1?","need":"CLASS_BOUND","state":"APPROVAL_STATE_CONFIRMED","askedBy":"backend","askedByDevice":"d_","createdAt":"AT","expiresAt":"AT","endedAt":"AT"},"result":"{\"freeze_code\":\"abcd\"}","signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}`,
		},
		{
			accountPath + "DenyAction", `{"approval":"v_"}`, byPhone, account.Phone,
			`Deny "v_"`,
			`{}`,
		},
		{
			accountPath + "ListApprovals", `{}`, byPhone, account.Phone,
			`Approvals`,
			`{"approvals":[{"approval":"v_","account":"a_","action":"app.pay","params":"{\"n\":1}","text":"Pay 1?","need":"CLASS_BOUND","state":"APPROVAL_STATE_CONFIRMED","askedBy":"backend","askedByDevice":"d_","createdAt":"AT","expiresAt":"AT","endedAt":"AT"}]}`,
		},
		{
			accountPath + "Veto", `{"device":"d_"}`, byPhone, account.Phone,
			`Veto "d_" ""`,
			`{"accountState":"STATE_ACTIVE","removed":"d_"}`,
		},
		{
			accountPath + "Veto", `{"pending":"p_"}`, byPhone, account.Phone,
			`Veto "" "p_"`,
			`{"accountState":"STATE_ACTIVE"}`,
		},
		{
			accountPath + "LeaveDevice", `{}`, byPhone, account.Phone,
			`LeaveDevice`,
			`{}`,
		},
		{
			accountPath + "EndSession", `{"session":"s_"}`, byPhone, account.Phone,
			`EndSession "s_"`,
			`{"ended":{"sessions":1,"ceremonies":2,"approvals":3,"joins":4,"pending":5}}`,
		},
		{
			accountPath + "SignOut", `{}`, byPhone, account.Phone,
			`SignOut`,
			`{"ended":{"sessions":1,"ceremonies":2,"approvals":3,"joins":4,"pending":5}}`,
		},
		{
			accountPath + "SignOutOthers", `{}`, byPhone, account.Phone,
			`SignOutOthers`,
			`{"kept":"s_","ended":{"sessions":1,"ceremonies":2,"approvals":3,"joins":4,"pending":5}}`,
		},
		{
			accountPath + "StartRecovery", `{"account":"a_","phone":{"name":"New","platform":"PLATFORM_IOS","challenge":"AQ=="}}`, byPhone, account.Anonymous,
			`StartRecovery {"Account":"a_","Message":SIGNED,"Phone":{"Evidence":{"Challenge":"AQ=="},"Name":"New","Platform":"ios"}}`,
			`{"pending":"p_","opensAt":"AT","serverTime":"AT","ticket":"AQ==","until":"AT","ceremony":"y_","options":"{\"challenge\":\"x\"}","finished":true}`,
		},
		{
			accountPath + "StartRecovery", `{"account":"a_"}`, byPhone, account.Anonymous,
			`StartRecovery {"Account":"a_","Message":SIGNED}`,
			`{"pending":"p_","opensAt":"AT","serverTime":"AT","ticket":"AQ==","until":"AT","ceremony":"y_","options":"{\"challenge\":\"x\"}","finished":true}`,
		},
		{
			accountPath + "FinishRecovery", `{"pending":"p_","ceremony":"y_","response":"{}"}`, byPhone, account.Anonymous,
			`FinishRecovery {"Ceremony":"y_","Message":SIGNED,"Pending":"p_","Response":"e30="}`,
			`{"signed":{"account":"a_","accountState":"STATE_ACTIVE","device":"d_","deviceState":"STATE_HELD","passkey":"c_","session":"s_","token":"TOKEN","until":"AT","class":"CLASS_PERSON","hold":{"reason":"HOLD_REASON_NEW","since":"AT","until":"AT"},"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}}`,
		},
		{
			joinPath + "RequestJoin", `{"phone":{"name":"New","platform":"PLATFORM_IOS","challenge":"AQ=="}}`, byPhone, account.Anonymous,
			`RequestJoin {"Kind":"phone","Phone":{"Evidence":{"Challenge":"AQ=="},"Message":SIGNED,"Name":"New","Platform":"ios"}}`,
			`{"join":"j_","code":"code","number":"42","expiresAt":"AT"}`,
		},
		{
			joinPath + "GetJoin", `{"code":"code"}`, byPhone, account.Phone,
			`Join "" "code"`,
			`{"join":"j_","kind":"JOIN_KIND_GUEST","name":"TV","platform":"PLATFORM_ANDROID","keysHash":"Bw==","origin":"o","place":"p","expiresAt":"AT"}`,
		},
		{
			joinPath + "GetJoin", `{"join":"j_"}`, byPhone, account.Phone,
			`Join "j_" ""`,
			`{"join":"j_","kind":"JOIN_KIND_GUEST","name":"TV","platform":"PLATFORM_ANDROID","keysHash":"Bw==","origin":"o","place":"p","expiresAt":"AT"}`,
		},
		{
			joinPath + "FinishJoin", `{"join":"j_","ceremony":"y_","response":"{}"}`, byPhone, account.Anonymous,
			`FinishJoin {"Ceremony":"y_","Join":"j_","Message":SIGNED,"Response":"e30="}`,
			`{"signed":{"account":"a_","accountState":"STATE_ACTIVE","device":"d_","deviceState":"STATE_HELD","passkey":"c_","session":"s_","token":"TOKEN","until":"AT","class":"CLASS_PERSON","hold":{"reason":"HOLD_REASON_NEW","since":"AT","until":"AT"},"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}}`,
		},
		{
			backendPath + "CheckSession", `{"token":"TOKEN"}`, byBackend, account.Backend,
			`CheckSession "TOKEN="`,
			`{"session":"s_","kind":"SESSION_KIND_PHONE","account":"a_","accountState":"STATE_HELD","device":"d_","deviceState":"STATE_ACTIVE","class":"CLASS_FRESH","proofs":[{"method":"passkey","at":"AT","passkey":"c_","synced":true}],"until":"AT"}`,
		},
		{
			backendPath + "CreateApproval", `{"account":"a_","kind":"pay","params":"{\"n\":1}","text":"Pay?","need":"CLASS_BOUND","held":true}`, byBackend, account.Backend,
			`CreateApproval {"Account":"a_","Held":true,"Kind":"pay","Need":7,"Params":{"n":1},"Text":"Pay?"}`,
			`{"approval":{"approval":"v_","account":"a_","action":"app.pay","params":"{\"n\":1}","text":"Pay 1?","need":"CLASS_BOUND","state":"APPROVAL_STATE_CONFIRMED","askedBy":"backend","askedByDevice":"d_","createdAt":"AT","expiresAt":"AT","endedAt":"AT","proof":"{\"p\":1}"}}`,
		},
		{
			backendPath + "GetApproval", `{"approval":"v_"}`, byBackend, account.Backend,
			`BackendApproval "v_"`,
			`{"approval":{"approval":"v_","account":"a_","action":"app.pay","params":"{\"n\":1}","text":"Pay 1?","need":"CLASS_BOUND","state":"APPROVAL_STATE_CONFIRMED","askedBy":"backend","askedByDevice":"d_","createdAt":"AT","expiresAt":"AT","endedAt":"AT","proof":"{\"p\":1}"}}`,
		},
		{
			backendPath + "CancelApproval", `{"approval":"v_"}`, byBackend, account.Backend,
			`CancelApproval "v_"`,
			`{}`,
		},
		{
			backendPath + "Freeze", `{"account":"a_"}`, byBackend, account.Backend,
			`FreezeAccount "a_"`,
			`{"accountState":"STATE_FROZEN"}`,
		},
		{
			backendPath + "ReportRisk", `{"account":"a_","device":"d_","name":"mule","level":"RISK_LEVEL_HOLD","value":"v","duration":"3600s"}`, byBackend, account.Backend,
			`ReportRisk {"Account":"a_","Device":"d_","For":3600000000000,"Level":"hold","Name":"mule","Value":"v"}`,
			`{}`,
		},
		{
			backendPath + "PollEvents", `{"after":"6","limit":2}`, byBackend, account.Backend,
			`PollEvents 6 2`,
			`{"events":[{"id":"7","type":"session.started","account":"a_","body":"{}","at":"AT"}]}`,
		},
		{
			passkeyPath + "BeginSignIn", `{"handle":"ada"}`, byPhone, account.Phone,
			`BeginSignIn {"Handle":"ada"}`,
			`{"ceremony":"y_","options":"{\"challenge\":\"x\"}","challenge":"AQ==","expiresAt":"AT"}`,
		},
		{
			passkeyPath + "BeginSignIn", `{}`, "", account.Anonymous,
			`BeginSignIn {}`,
			`{"ceremony":"y_","options":"{\"challenge\":\"x\"}","challenge":"AQ==","expiresAt":"AT"}`,
		},
		{
			passkeyPath + "BeginSignIn", `{"newPhone":true}`, byPhone, account.Anonymous,
			`BeginSignIn {"NewPhone":true}`,
			`{"ceremony":"y_","options":"{\"challenge\":\"x\"}","challenge":"AQ==","expiresAt":"AT"}`,
		},
		{
			passkeyPath + "FinishSignIn", `{"ceremony":"y_","response":"{}"}`, byPhone, account.Phone,
			`FinishSignIn {"Ceremony":"y_","Response":"e30="}`,
			`{"signed":{"account":"a_","accountState":"STATE_ACTIVE","device":"d_","deviceState":"STATE_HELD","passkey":"c_","session":"s_","token":"TOKEN","until":"AT","class":"CLASS_PERSON","hold":{"reason":"HOLD_REASON_NEW","since":"AT","until":"AT"},"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}}`,
		},
		{
			passkeyPath + "FinishSignIn", `{"ceremony":"y_","response":"{}","phone":{"name":"New","platform":"PLATFORM_ANDROID"}}`, byPhone, account.Anonymous,
			`FinishSignIn {"Ceremony":"y_","Phone":{"Message":SIGNED,"Name":"New","Platform":"android"},"Response":"e30="}`,
			`{"join":{"join":"j_","number":"42","expiresAt":"AT"}}`,
		},
		{
			passkeyPath + "BeginStepUp", `{}`, byPhone, account.Phone,
			`BeginStepUp null`,
			`{"ceremony":"y_","options":"{\"challenge\":\"x\"}","expiresAt":"AT"}`,
		},
		{
			passkeyPath + "FinishStepUp", `{"ceremony":"y_","response":"{}"}`, byPhone, account.Phone,
			`FinishStepUp {"Ceremony":"y_","Response":"e30="}`,
			`{"signed":{"account":"a_","accountState":"STATE_ACTIVE","device":"d_","deviceState":"STATE_HELD","passkey":"c_","session":"s_","until":"AT","class":"CLASS_PERSON","hold":{"reason":"HOLD_REASON_NEW","since":"AT","until":"AT"},"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}}`,
		},
		{
			passkeyPath + "BeginAdd", `{"hint":"HINT_SECURITY_KEY"}`, byPhone, account.Phone,
			`BeginAdd {"Hint":"security-key"}`,
			`{"ceremony":"y_","options":"{\"challenge\":\"x\"}","expiresAt":"AT"}`,
		},
		{
			passkeyPath + "BeginAdd", `{}`, byPhone, account.Phone,
			`BeginAdd {}`,
			`{"ceremony":"y_","options":"{\"challenge\":\"x\"}","expiresAt":"AT"}`,
		},
		{
			passkeyPath + "FinishAdd", `{"ceremony":"y_","response":"{}","name":"Blue"}`, byPhone, account.Phone,
			`FinishAdd {"Ceremony":"y_","Name":"Blue","Response":"e30="}`,
			`{"passkey":{"passkey":"c_","name":"k","provider":"P","synced":true,"state":"PASSKEY_STATE_SUSPECT","devices":["d_"],"addedAt":"AT"},"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}`,
		},
		{
			passkeyPath + "List", `{}`, byPhone, account.Phone,
			`Passkeys`,
			`{"passkeys":[{"passkey":"c_","name":"k","provider":"P","synced":true,"state":"PASSKEY_STATE_SUSPECT","devices":["d_"],"addedAt":"AT"}],"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}`,
		},
		{
			passkeyPath + "GetSignals", `{}`, byPhone, account.Phone,
			`Passkeys`,
			`{"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}`,
		},
		{
			passkeyPath + "Rename", `{"passkey":"c_","name":"Blue"}`, byPhone, account.Phone,
			`RenamePasskey "c_" "Blue"`,
			`{"signals":{"allAcceptedCredentials":{"rpId":"example.org","userId":"AA","allAcceptedCredentialIds":["BB"]},"currentUserDetails":{"rpId":"example.org","userId":"AA","name":"n","displayName":"dn"}}}`,
		},
	}
}
