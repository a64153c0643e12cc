extension AdmissionLibrary {
    /// All loops that share one Redis.
    static let workersKey = Array("hg:{workers}".utf8)
    /// Of each: when it said so last, and since when it has had a request that is paid for and not written down.
    static let underwayKey = Array("hg:{workers}:underway".utf8)

    static let counting = """
        -- Says that a loop lives, since when it has had what is paid for, and how many live: the time in milliseconds,
        -- and their number.
        local function live(keys, a)
            if not up then prepare() end
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            local lifetime, oldest = up('<dd', a[2])
            call('ZADD', keys[1], ms, a[1])
            call('HSET', keys[2], a[1], pk('<dd', ms, oldest))
            local past = '(' .. string.format('%.0f', ms - lifetime)
            local gone = call('ZRANGEBYSCORE', keys[1], '-inf', past)
            if gone[1] then
                call('ZREMRANGEBYSCORE', keys[1], '-inf', past)
                for i = 1, #gone do call('HDEL', keys[2], gone[i]) end
            end
            call('PEXPIRE', keys[1], 2 * lifetime)
            call('PEXPIRE', keys[2], 2 * lifetime)
            return {ms, call('ZCARD', keys[1])}
        end
        redis.register_function('live' .. suffix, live)
        """
}
