extension AdmissionLibrary {
    /// All loops that share one Redis.
    static let workersKey = Array("hg:workers".utf8)

    static let counting = """
        -- Says that a loop lives, and how many do: the time in milliseconds, and their number.
        local function live(keys, a)
            if not up then prepare() end
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            local lifetime = up('<d', a[2])
            call('ZADD', keys[1], ms, a[1])
            call('ZREMRANGEBYSCORE', keys[1], '-inf', '(' .. string.format('%.0f', ms - lifetime))
            call('PEXPIRE', keys[1], 2 * lifetime)
            return {ms, call('ZCARD', keys[1])}
        end
        redis.register_function('live' .. suffix, live)
        """
}
