extension AdmissionLibrary {
    static let seeding = """
        -- What came before in a month, of subjects of which it is not known here.
        local function seed(keys, a)
            if not up then prepare() end
            local month, life = up('<dd', a[1])
            for i = 2, #a, 2 do
                local state = call('HGET', keys[1], a[i]) or zero
                local at, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was = up(STATE, state)
                if was == 0 then
                    local ro, to = up('<dd', a[i + 1])
                    call('HSET', keys[1], a[i], pk(STATE, at, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, month, ro, to))
                end
            end
            call('EXPIRE', keys[1], life)
            return 1
        end
        redis.register_function('seed' .. suffix, seed)
        """

    static let funding = """
        -- More of wallets and budgets, each grant once. Says of each whether it came in (1), had come in before (2), or
        -- may not (0). What nobody knows to have come in or not is sent again, and may come in only where nothing can
        -- have been forgotten since.
        local function fund(keys, a)
            if not up then prepare() end
            local whose, issued, latest, isRepeated, memory, most, life = up('<ddddddd', a[1])
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            local said = {}
            for i = 2, #a, 3 do
                local slices, grants = 'b' .. a[i], 't' .. a[i]
                local v = call('HMGET', keys[1], slices, grants)
                local left, held, born, isThere = slice(v[1], ms)
                local list, kept, isKnown = v[2] or '', '', false
                for place = 1, #list, 24 do
                    if sub(list, place, place + 15) == a[i + 1] then isKnown = true end
                    if up('<d', list, place + 16) + memory > ms then
                        kept = kept .. sub(list, place, place + 23)
                    end
                end
                if whose ~= run then
                    said[#said + 1] = pk('<d', 0)
                elseif isKnown then
                    said[#said + 1] = pk('<d', 2)
                elseif ms > latest or #kept >= 24 * most or isRepeated > 0 and not (isThere and born <= issued) then
                    said[#said + 1] = pk('<d', 0)
                else
                    call('HSET', keys[1], slices, pk(SLICE, left + up('<d', a[i + 2]), held, run, born),
                        grants, kept .. a[i + 1] .. pk('<d', ms))
                    said[#said + 1] = pk('<d', 1)
                end
            end
            call('EXPIRE', keys[1], life)
            return concat(said)
        end
        redis.register_function('fund' .. suffix, fund)
        """
}
