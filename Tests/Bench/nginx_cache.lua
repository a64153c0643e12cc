-- What a kept answer takes in nginx: the key, one window and the answer by one pipeline to Redis. See cached_hits.py.
local redis = require "nginx.redis"
local sha256 = require "nginx.sha256"
local hexadecimal = require("nginx.string").to_hex
local asked = require "nginx_question"

local authorization = ngx.var.http_authorization
local organization = authorization and ngx.shared.keys:get(authorization:sub(8))
if not organization then return ngx.exit(401) end

ngx.req.read_body()
local body = ngx.req.get_body_data()
local words = body
if settings.reads then words = asked(body) end
if not words then return ngx.exit(400) end
local digest = sha256:new()
digest:update(words)
local question = hexadecimal(digest:final())

local connection = redis:new()
connection:set_timeout(1000)
local isConnected, reason = connection:connect(settings.redis)
if not isConnected then
    ngx.log(ngx.ERR, reason)
    return ngx.exit(503)
end
connection:init_pipeline(2)
connection:evalsha(settings.window, 1, "window:" .. organization, settings.limit)
connection:get("cache:" .. organization .. ":" .. question)
local answers, failure = connection:commit_pipeline()
if not answers or not answers[1] or answers[1][1] == false then
    ngx.log(ngx.ERR, failure or answers[1][2])
    return ngx.exit(503)
end
connection:set_keepalive(60000, 128)

local header = ngx.header
header["X-RateLimit-Limit"] = settings.limit
header["X-RateLimit-Remaining"] = answers[1][2]
header["X-RateLimit-Reset"] = answers[1][3]
if answers[1][1] == 0 then return ngx.exit(429) end
local answer = answers[2]
if answer == ngx.null then
    -- For whoever keeps one.
    header["X-Question"] = question
    return ngx.exit(200)
end
header["Content-Type"] = "application/json"
header["Content-Length"] = #answer
header["X-Cache"] = "HIT"
ngx.print(answer)
