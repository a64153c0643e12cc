import Redis

/// What has to be done in one step in Redis.
enum CacheLibrary {
    static let store = library.function("cache_store")
    static let note = library.function("cache_note")
    static let raise = library.function("cache_raise")
    static let extend = library.function("cache_extend")
    static let release = library.function("cache_release")

    static let library = RedisLibrary(name: "hivegate_cache", source: source)

    /// Time is Redis's own, so that all processes agree. A generation is the time in microseconds, or more: it never comes
    /// again, whatever was lost.
    private static let source = """
        local function milliseconds()
            local time = redis.call('TIME')
            return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        end

        local function store(keys, arguments)
            local entry, index, organization = keys[1], keys[2], keys[3]
            -- Whoever waits for it looks again.
            if keys[4] and redis.call('GET', keys[4]) == arguments[6] then redis.call('DEL', keys[4]) end
            local lifetime, largest = tonumber(arguments[2]), tonumber(arguments[3])
            if (redis.call('HGET', organization, 'x') or '0') ~= arguments[1] then return 0 end
            local now = milliseconds()
            local count = redis.call('ZCARD', index)
            -- One write in 16 looks what has ended.
            if now % 16 == 0 or count >= largest then
                local ended = redis.call('ZRANGEBYSCORE', index, '-inf', now - 1000, 'LIMIT', 0, 320)
                if #ended > 0 then count = count - redis.call('ZREM', index, unpack(ended)) end
            end
            if count >= largest and not redis.call('ZSCORE', index, arguments[4]) then
                return 0
            end
            redis.call('SET', entry, arguments[5], 'PX', lifetime)
            redis.call('ZADD', index, string.format('%.0f', now + lifetime), arguments[4])
            local needed = lifetime + 60000
            -- For longer than is needed now: most find that it is so.
            if redis.call('PTTL', index) < needed then redis.call('PEXPIRE', index, needed + lifetime) end
            return 1
        end

        local function note(keys, arguments)
            local questions, frames, organization = keys[1], keys[2], keys[3]
            local lifetime, frame = tonumber(arguments[2]), arguments[5]
            if (redis.call('HGET', organization, 'x') or '0') ~= arguments[1] then return 0 end
            local now = milliseconds()
            local ending = string.format('%.0f', now + lifetime)
            redis.call('ZREMRANGEBYSCORE', frames, '-inf', now)
            if redis.call('ZCARD', frames) >= tonumber(arguments[4]) and not redis.call('ZSCORE', frames, frame) then
                return 0
            end
            redis.call('ZREMRANGEBYSCORE', questions, '-inf', now)
            redis.call('ZADD', questions, ending, arguments[6])
            redis.call('ZREMRANGEBYRANK', questions, 0, -(tonumber(arguments[3]) + 1))
            if redis.call('PTTL', questions) < lifetime then redis.call('PEXPIRE', questions, lifetime) end
            redis.call('ZADD', frames, 'GT', ending, frame)
            if redis.call('PTTL', frames) < lifetime then redis.call('PEXPIRE', frames, lifetime) end
            return 1
        end

        local function raise(keys)
            local time = redis.call('TIME')
            local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
            local generation = math.max(now, tonumber(redis.call('HGET', keys[1], 'x') or '0') + 1)
            redis.call('HSET', keys[1], 'x', string.format('%.0f', generation))
            return 1
        end

        local function extend(keys, arguments)
            if redis.call('GET', keys[1]) ~= arguments[1] then return 0 end
            return redis.call('PEXPIRE', keys[1], arguments[2])
        end

        local function release(keys, arguments)
            if redis.call('GET', keys[1]) ~= arguments[1] then return 0 end
            return redis.call('DEL', keys[1])
        end

        redis.register_function('cache_store' .. suffix, store)
        redis.register_function('cache_note' .. suffix, note)
        redis.register_function('cache_raise' .. suffix, raise)
        redis.register_function('cache_extend' .. suffix, extend)
        redis.register_function('cache_release' .. suffix, release)
        """
}
