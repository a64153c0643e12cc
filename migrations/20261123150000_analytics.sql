-- A receipt is asked for by the name of its request.
CREATE INDEX usage_events_request ON usage_events (org_id, request_id);
