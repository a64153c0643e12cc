extension AdmissionLibrary {
    /// All loops that share one Redis.
    static let workersKey = Array("hg:{workers}".utf8)
    /// Of each: when it said so last, and since when it has had a request that is paid for and not written down.
    static let underwayKey = Array("hg:{workers}:underway".utf8)
    /// Since when all of them could have said so: the time, and the run of Redis.
    static let sinceKey = Array("hg:{workers}:since".utf8)

    static let counting = """
        -- Since when it is known who lives. What a Redis has that was emptied, or came back from a snapshot, is not known.
        local function since(key, ms)
            local state = call('GET', key)
            if state then
                local born, whose = up('<dd', state)
                if whose == run then return born end
            end
            call('SET', key, pk('<dd', ms, run))
            return ms
        end

        -- The time, since when it is known who lives, and what those have said.
        local function workers(keys, a)
            if not up then prepare() end
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            return {ms, since(keys[2], ms), call('HGETALL', keys[1])}
        end
        redis.register_function('workers' .. suffix, workers)

        -- Says that a loop lives, since when it has had what is paid for, and how many live: the time in milliseconds,
        -- and their number.
        local function live(keys, a)
            if not up then prepare() end
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            local lifetime, oldest = up('<dd', a[2])
            since(keys[3], ms)
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
