-- As: gatekeeper_web
-- Wants: a silent helpdesk that counts as heard.
-- Verdict: refused
SELECT vault.heard('x');
