extension AdmissionLibrary {
    /// The head of an entry of a journal is that of `JournalEntry` in Metering, in all its versions.
    static let accounting = """
        -- What there is of limits: the time, the run, and of each what is left and held, since when, and what entries of the
        -- journal have paid from it. Where the journal has too many entries to be looked through, the time alone.
        -- Where it is to be taken back, nothing is left.
        local function account(keys, a)
            if not up then prepare() end
            local most, isTaken = up('<dd', a[1])
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            if call('HLEN', keys[2]) > most then return pk('<d', ms) end
            local paid = {}
            for _, entry in ipairs(call('HVALS', keys[2])) do
                local _, count = up('<BB', entry)
                for i = 1, count do
                    local limit = sub(entry, 24 * i - 13, 24 * i + 2)
                    paid[limit] = (paid[limit] or 0) + up('<d', entry, 24 * i + 3)
                end
            end
            local said = {pk('<dd', ms, run)}
            for i = 2, #a do
                local left, held, born, isThere = slice(call('HGET', keys[1], 'b' .. a[i]), ms)
                if isThere and isTaken > 0 and left > 0 then
                    call('HSET', keys[1], 'b' .. a[i], pk(SLICE, 0, held, run, born))
                    left = 0
                end
                if not isThere then
                    -- From here on it is known since when there is nothing.
                    call('HSET', keys[1], 'b' .. a[i], pk(SLICE, 0, 0, run, ms))
                end
                said[i] = pk('<dddd', left, held, born, paid[a[i]] or 0)
            end
            return concat(said)
        end
        redis.register_function('account' .. suffix, account)
        """
}
