extension AdmissionLibrary {
    static let settling = """
        -- What a request really took, in the buckets in which it was admitted, and what each wallet and budget pays.
        -- Says whether its hold was there. What is repeated may have been done before. What it leaves in the journal has
        -- a name, so that it is there once.
        local function settle(keys, a)
            if not up then prepare() end
            local admitted, tokens, month, me, n, c, m, journals, isRepeated = up('<ddddddddd', a[1])
            local count, isHeld = n + c, 1
            if count + m > 0 then
                local v = call('HMGET', keys[1], unpack(a, 2, m > 0 and count + m + 2 or count + 1))
                local hold = m > 0 and v[count + m + 1]
                -- Repeated, it was settled before, or what it was admitted in was lost and perhaps corrected.
                local isFirst = not (m > 0 and not hold and isRepeated > 0)
                if m > 0 and not hold then isHeld = 0 end
                if not isFirst then n, c = 0, 0 end
                local am, ah, ad = floor(admitted / 60000), floor(admitted / 3600000), floor(admitted / 86400000)
                -- With room, as in `admit`.
                local set, last = {nil, nil, nil, nil, nil, nil, nil, nil}, 0
                for i = 1, n do
                    if v[i] then
                        -- As of when it was written: what comes next moves it on, corrected.
                        local at, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to = up(STATE, v[i])
                        local om, oh, od = floor(at / 60000) - am, floor(at / 3600000) - ah, floor(at / 86400000) - ad
                        if om <= 0 then tm = tm + tokens elseif om == 1 then qm = qm + tokens end
                        if oh <= 0 then th = th + tokens elseif oh == 1 then qh = qh + tokens end
                        if od <= 0 then td = td + tokens elseif od == 1 then qd = qd + tokens end
                        if was == month then to = to + tokens end
                        if tm < 0 then tm = 0 end
                        if th < 0 then th = 0 end
                        if td < 0 then td = 0 end
                        if qm < 0 then qm = 0 end
                        if qh < 0 then qh = 0 end
                        if qd < 0 then qd = 0 end
                        if to < 0 then to = 0 end
                        set[last + 1] = a[i + 1]
                        set[last + 2] = pk(STATE, at, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to)
                        last = last + 2
                    end
                end
                for i = n + 1, n + c do
                    if v[i] then
                        local s, us = clock()
                        local others, _, mine = underway(v[i], s * 1000 + floor(us / 1000), me)
                        if mine > 1 then
                            -- As long as it was believed before.
                            for place = 1, #v[i], 24 do
                                local who, _, till = up('<ddd', v[i], place)
                                if who == me then others = others .. pk('<ddd', me, mine - 1, till) end
                            end
                        end
                        set[last + 1] = a[i + 1]
                        set[last + 2] = others
                        last = last + 2
                    end
                end
                for i = 1, isFirst and m or 0 do
                    local left, held, born, isThere = slice(v[count + i])
                    if isThere then
                        local cost, amount = up('<d', a[1], 65 + 8 * i), 0
                        -- Without its hold somebody has given that back: who holds nothing pays all the same.
                        if hold then
                            if up('<d', hold) == run then amount = up('<d', hold, 24 * i + 9) else cost = 0 end
                        elseif born > admitted then
                            cost = 0
                        end
                        set[last + 1] = a[count + i + 1]
                        set[last + 2] = pk(SLICE, left + amount - cost, held - amount, run, born)
                        last = last + 2
                    end
                end
                if hold then call('HDEL', keys[1], a[count + m + 2]) end
                if last > 0 then call('HSET', keys[1], unpack(set, 1, last)) end
            end
            if journals > 0 then call('HSET', keys[2], a[#a - 1], a[#a]) end
            return isHeld
        end
        redis.register_function('settle' .. suffix, settle)
        """

    static let renewing = """
        -- We know that we are at work on so many requests, and wait to hear of so many: what is counted stands if it
        -- can be right, and else is put right.
        local function renew(keys, a)
            if not up then prepare() end
            local me, lease, life = up('<ddd', a[1])
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            for i = 2, #a, 2 do
                local others, _, mine = underway(call('HGET', keys[1], a[i]), ms, me)
                local answered, asked = up('<dd', a[i + 1])
                if mine > answered + asked then mine = answered + asked end
                if mine < answered then mine = answered end
                if mine > 0 then others = others .. pk('<ddd', me, mine, ms + lease) end
                call('HSET', keys[1], a[i], others)
            end
            call('EXPIRE', keys[1], life)
            return 1
        end
        redis.register_function('renew' .. suffix, renew)
        """
}
