-- As: gatekeeper_feed
-- Wants: a view under the grant that is live.
-- Verdict: refused
SELECT vault.record_view(:digest, '{"cid": "c-1"}', :account, :grant, '{contact.name}', true);
