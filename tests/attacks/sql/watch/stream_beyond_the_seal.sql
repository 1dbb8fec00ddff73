-- As: gatekeeper_watch
-- Wants: a place of the stream behind which the SIEM gets nothing.
-- Verdict: refused: not beyond the newest checkpoint
SELECT audit.stream_went('https://siem.example/in', 999999999);
