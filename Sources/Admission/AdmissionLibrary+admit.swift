extension AdmissionLibrary {
    static let admitting = """
        -- All or nothing. Answers a code, the time in milliseconds, and a detail, 8 bytes each; where windows decided,
        -- then the states of the subjects. Where money is lacking the detail is the run, and then comes what is left
        -- and held of each.
        -- Takes numbers: nine; eight limits for each subject with windows; one for each with slots; when the month begins
        -- and ends, if there is one; who asks and for how long it may be believed to be at work, if there are slots;
        -- and what is to be held of each wallet and budget. Then the names of all of them, one for what is held, and what
        -- is to be known of it where its gateway dies.
        -- What must be done by no time is done whatever the limits are.
        local function admit(keys, a)
            if not up then prepare() end
            local numbers = a[1]
            local weight, tokens, deadline, generation, month, life, n, c, m = up('<ddddddddd', numbers)
            local count = n + c + m
            local v = call('HMGET', keys[1], 'g', 'x', unpack(a, 2, count + 1))
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            local code = 1
            -- Who comes without a key has no generation.
            if generation >= 0 then
                local known = (v[1] or -1) + 0
                if known > generation then return pk('<ddd', 5, ms, known) end
                if known < generation then code = 2 end
            end
            if deadline > 0 and ms > deadline then return pk('<ddd', 0, ms, 0) end
            local rest = 73 + 64 * n + 8 * c
            if month > 0 then
                local from, to = up('<dd', numbers, rest)
                if ms < from or ms >= to then return pk('<ddd', 7, ms, 0) end
                rest = rest + 16
            end
            local bm, bh, bd = floor(s / 60), floor(s / 3600), floor(s / 86400)
            local fm, fh, fd = 60000 - (ms - bm * 60000), 36000 - (floor(ms / 100) - bh * 36000), 86400 - (s - bd * 86400)
            -- With room for four subjects: growing a table costs more than what goes into it.
            local set, answer, isLonger = {nil, nil, nil, nil, nil, nil, nil, nil}, {nil, nil, nil, nil, nil}, false
            for i = 1, n do
                local lrm, lrh, lrd, lro, ltm, lth, ltd, lto = up('<dddddddd', numbers, 64 * i + 9)
                local at, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to =
                    up(STATE, v[i + 2] or zero)
                if at < bm * 60000 or was > 0 and month > was then
                    local turned
                    rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to, turned =
                        rolled(v[i + 2] or zero, bm, bh, bd, month)
                    if turned then isLonger = true end
                end
                if was == 0 and deadline > 0 then
                    -- What came before in this month is known elsewhere.
                    if lro < NONE or lto < NONE then return pk('<ddd', 6, ms, i) end
                    was = month
                end
                rm, rh, rd, tm, th, td = rm + weight, rh + weight, rd + weight, tm + tokens, th + tokens, td + tokens
                if was > 0 then ro, to = ro + weight, to + tokens end
                if deadline > 0 and (pm * fm > (lrm - rm) * 60000 or ph * fh > (lrh - rh) * 36000
                    or pd * fd > (lrd - rd) * 86400 or qm * fm > (ltm - tm) * 60000 or qh * fh > (lth - th) * 36000
                    or qd * fd > (ltd - td) * 86400 or ro > lro or to > lto) then
                    if v[i + 2] and floor(up('<d', v[i + 2]) / 60000) > bm then
                        -- The clock was set back. What was counted counts as of now: it would stay until that time
                        -- comes again.
                        v[i + 2] = pk(STATE, ms, unpack({rolled(v[i + 2], bm, bh, bd, 0)}, 1, 15))
                        call('HSET', keys[1], a[i + 1], v[i + 2])
                    end
                    answer[1] = pk('<ddd', 3, ms, i)
                    for j = 1, n do answer[j + 1] = v[j + 2] or zero end
                    return concat(answer)
                end
                local state = pk(STATE, ms, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to)
                set[2 * i - 1] = a[i + 1]
                set[2 * i] = state
                answer[i + 1] = state
            end
            if c > 0 then
                local me, lease = up('<dd', numbers, rest)
                rest = rest + 16
                for i = n + 1, n + c do
                    local others, number, mine = underway(v[i + 2], ms, me)
                    if number + mine >= up('<d', numbers, 56 * n + 8 * i + 65) then
                        return pk('<ddd', 4, ms, i - n)
                    end
                    set[2 * i - 1] = a[i + 1]
                    set[2 * i] = others .. pk('<ddd', me, mine + 1, ms + lease)
                end
            end
            if m > 0 then
                local hold, isShort = pk('<dd', run, ms), false
                for i = n + c + 1, count do
                    local amount = up('<d', numbers, rest + 8 * (i - n - c - 1))
                    local left, held, born = slice(v[i + 2], ms)
                    -- Who needs nothing is not kept waiting by what others owe.
                    if left < amount and amount > 0 then isShort = true end
                    set[2 * i - 1] = a[i + 1]
                    set[2 * i] = pk(SLICE, left - amount, held + amount, run, born)
                    hold = hold .. sub(a[i + 1], 2) .. pk('<d', amount)
                end
                if isShort then
                    local slices = {pk('<ddd', 8, ms, run)}
                    for i = 1, m do
                        local left, held = slice(v[n + c + i + 2], ms)
                        slices[i + 1] = pk('<dd', left, held)
                    end
                    return concat(slices)
                end
                set[2 * count + 1] = a[count + 2]
                set[2 * count + 2] = hold .. a[count + 3]
            end
            if set[1] then
                call('HSET', keys[1], unpack(set, 1, m > 0 and 2 * count + 2 or 2 * count))
                -- Without windows there is no telling when an hour has gone.
                if isLonger or n == 0 then call('EXPIRE', keys[1], life) end
            end
            answer[1] = pk('<ddd', code, ms, (v[2] or 0) + 0)
            return n > 1 and concat(answer) or answer[1] .. (answer[2] or '')
        end
        redis.register_function('admit' .. suffix, admit)
        """
}
