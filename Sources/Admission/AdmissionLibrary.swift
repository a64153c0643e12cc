import Redis

/// The functions in Redis that decide. What they keep of an organization is one hash:
///
/// | field | what |
/// |---|---|
/// | `g` | the generation of its keys (see Identity) |
/// | `x` | how often its cache was purged (see Cache) |
/// | `o`, `u…`, `k…`, `m…`, `e…` | a `WindowState` of the organization, a user, a key, a model, a group of endpoints |
/// | `c` and a subject | requests under way: who, how many, until when that is believed; 24 bytes each |
/// | `b…` | nano-dollars that are left of what was granted for a wallet or a budget |
/// | `h…` | what is held for a request |
package enum AdmissionLibrary {
    static let library = RedisLibrary(name: "hivegate_admission", source: source(clock: redisClock))

    static let admit = library.function("admit")
    static let settle = library.function("settle")
    static let renew = library.function("renew")
    static let seed = library.function("seed")
    static let fund = library.function("fund")

    /// For a function `clock` that says seconds and microseconds.
    private static let redisClock = """
        local function clock()
            local time = call('TIME')
            return time[1] + 0, time[2] + 0
        end
        """

    /// - Parameter clock: defines `clock()`; tests have a clock of their own.
    package static func source(clock: String) -> String {
        """
        local up, pk, floor, call, concat, sub, zero
        local STATE = '<dddddddddddddddd'
        -- No window is limited to as much.
        local NONE = 1e15

        -- What a library may use is there only when it is called.
        local function init()
            up, pk, floor, call = struct.unpack, struct.pack, math.floor, redis.call
            concat, sub, zero = table.concat, string.sub, string.rep('\\0', \(WindowState.byteCount))
        end

        \(clock)

        -- A state's counts in these buckets and this month, and whether another hour has begun.
        local function rolled(state, bm, bh, bd, month)
            local at, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to = up(STATE, state)
            local turned = false
            local passed = bm - floor(at / 60000)
            if passed > 0 then
                if passed == 1 then pm, qm = rm, tm else pm, qm = 0, 0 end
                rm, tm = 0, 0
                passed = bh - floor(at / 3600000)
                if passed > 0 then
                    turned = true
                    if passed == 1 then ph, qh = rh, th else ph, qh = 0, 0 end
                    rh, th = 0, 0
                    passed = bd - floor(at / 86400000)
                    if passed > 0 then
                        if passed == 1 then pd, qd = rd, td else pd, qd = 0, 0 end
                        rd, td = 0, 0
                    end
                end
            end
            if was > 0 and month > was then was, ro, to = month, 0, 0 end
            return rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to, turned
        end

        -- The entries of others in a list of requests under way, how many those are, and how many are ours.
        local function underway(list, ms, me)
            local others, count, mine = '', 0, 0
            if list then
                for place = 1, #list, 24 do
                    local who, number, till = up('<ddd', list, place)
                    if who == me then
                        if till > ms then mine = number end
                    elseif till > ms then
                        others = others .. sub(list, place, place + 23)
                        count = count + number
                    end
                end
            end
            return others, count, mine
        end

        -- All or nothing. Answers a code, the time in milliseconds, and a detail, 8 bytes each; where windows decided,
        -- then the states of the subjects; where money did, then what is left of each.
        local function admit(keys, a)
            if not up then init() end
            local weight, tokens, deadline, month, from, to, me, lease, n, c, m, life, forced =
                up('<ddddddddddddd', a[1])
            local count = n + c + m
            local fields = {'g', 'x'}
            for i = 1, count do fields[i + 2] = a[2 * i + 1] end
            local v = call('HMGET', keys[1], unpack(fields))
            local s, us = clock()
            local ms = s * 1000 + floor(us / 1000)
            local code = 1
            -- Who comes without a key has no generation.
            if a[2] ~= '' and v[1] ~= a[2] then
                if v[1] and v[1] + 0 > a[2] + 0 then return pk('<ddd', 5, ms, v[1] + 0) end
                code = 2
            end
            if deadline > 0 and ms > deadline then return pk('<ddd', 0, ms, 0) end
            if month > 0 and (ms < from or ms >= to) then return pk('<ddd', 7, ms, 0) end
            local bm, bh, bd = floor(s / 60), floor(s / 3600), floor(s / 86400)
            local fm, fh, fd = 60000 - (ms - bm * 60000), 36000 - (floor(ms / 100) - bh * 36000), 86400 - (s - bd * 86400)
            local set, states, isLonger = {}, {}, false
            for i = 1, n do
                local lrm, lrh, lrd, lro, ltm, lth, ltd, lto = up('<dddddddd', a[2 * i + 2])
                local rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to, turned
                if v[i + 2] then
                    rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to, turned =
                        rolled(v[i + 2], bm, bh, bd, month)
                    if turned then isLonger = true end
                else
                    rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to = 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
                    isLonger = true
                end
                if was == 0 and forced == 0 then
                    -- What came before in this month is known elsewhere.
                    if lro < NONE or lto < NONE then return pk('<ddd', 6, ms, i) end
                    was = month
                end
                rm, rh, rd, tm, th, td = rm + weight, rh + weight, rd + weight, tm + tokens, th + tokens, td + tokens
                if was > 0 then ro, to = ro + weight, to + tokens end
                if forced == 0 and (pm * fm > (lrm - rm) * 60000 or ph * fh > (lrh - rh) * 36000
                    or pd * fd > (lrd - rd) * 86400 or qm * fm > (ltm - tm) * 60000 or qh * fh > (lth - th) * 36000
                    or qd * fd > (ltd - td) * 86400 or ro > lro or to > lto) then
                    for j = 1, n do states[j] = v[j + 2] or zero end
                    return pk('<ddd', 3, ms, i) .. concat(states)
                end
                local state = pk(STATE, ms, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to)
                set[2 * i - 1] = fields[i + 2]
                set[2 * i] = state
                states[i] = state
            end
            for i = n + 1, n + c do
                local others, number, mine = underway(v[i + 2], ms, me)
                if number + mine >= up('<d', a[2 * i + 2]) then return pk('<ddd', 4, ms, i - n) end
                set[2 * i - 1] = fields[i + 2]
                set[2 * i] = others .. pk('<ddd', me, mine + 1, ms + lease)
            end
            if m > 0 then
                local isShort = false
                for i = n + c + 1, count do
                    local left = (v[i + 2] and up('<d', v[i + 2]) or 0) - up('<d', a[2 * i + 2])
                    if left < 0 then isShort = true end
                    set[2 * i - 1] = fields[i + 2]
                    set[2 * i] = pk('<d', left)
                    states[#states + 1] = set[2 * i]
                end
                if isShort then
                    -- What each would have left, or lacks.
                    return pk('<ddd', 8, ms, m) .. concat(states, '', n + 1)
                end
                set[2 * count + 1] = a[2 * count + 3]
                set[2 * count + 2] = a[2 * count + 4]
            end
            if set[1] then
                call('HSET', keys[1], unpack(set))
                -- Without windows there is no telling when an hour has gone.
                if isLonger or n == 0 then call('EXPIRE', keys[1], life) end
            end
            return pk('<ddd', code, ms, (v[2] or 0) + 0) .. (states[2] and concat(states) or states[1] or '')
        end
        redis.register_function('admit' .. suffix, admit)

        -- What a request really took, in the buckets in which it was admitted. Says whether its hold was there.
        local function settle(keys, a)
            if not up then init() end
            local admitted, tokens, month, me, n, c, m, journals = up('<dddddddd', a[1])
            local fields, count = {}, n + c
            for i = 1, count do fields[i] = a[i + 1] end
            for i = 1, m do fields[count + i] = a[count + 2 * i] end
            if m > 0 then fields[count + m + 1] = a[count + 2 * m + 2] end
            local isHeld = 1
            if fields[1] then
                local v = call('HMGET', keys[1], unpack(fields))
                local s, us = clock()
                local ms = s * 1000 + floor(us / 1000)
                local bm, bh, bd = floor(s / 60), floor(s / 3600), floor(s / 86400)
                local om, oh, od = bm - floor(admitted / 60000), bh - floor(admitted / 3600000), bd - floor(admitted / 86400000)
                local set = {}
                for i = 1, n do
                    if v[i] then
                        local rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to = rolled(v[i], bm, bh, bd, 0)
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
                        set[#set + 1] = fields[i]
                        set[#set + 1] = pk(STATE, ms, rm, rh, rd, tm, th, td, pm, ph, pd, qm, qh, qd, was, ro, to)
                    end
                end
                for i = n + 1, count do
                    if v[i] then
                        local others, _, mine = underway(v[i], ms, me)
                        if mine > 1 then
                            -- As long as it was believed before.
                            for place = 1, #v[i], 24 do
                                local who, _, till = up('<ddd', v[i], place)
                                if who == me then others = others .. pk('<ddd', me, mine - 1, till) end
                            end
                        end
                        set[#set + 1] = fields[i]
                        set[#set + 1] = others
                    end
                end
                if m > 0 then
                    if v[count + m + 1] then
                        for i = count + 1, count + m do
                            local left = v[i] and up('<d', v[i]) or 0
                            set[#set + 1] = fields[i]
                            set[#set + 1] = pk('<d', left + up('<d', a[2 * i - count + 1]))
                        end
                        call('HDEL', keys[1], fields[count + m + 1])
                    else
                        isHeld = 0
                    end
                end
                if set[1] then call('HSET', keys[1], unpack(set)) end
            end
            if journals > 0 then call('XADD', keys[2], 'MAXLEN', '~', journals, '*', 'e', a[#a]) end
            return isHeld
        end
        redis.register_function('settle' .. suffix, settle)

        -- We know that we are at work on so many requests, and wait to hear of so many: what is counted stands if it
        -- can be right, and else is put right.
        local function renew(keys, a)
            if not up then init() end
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

        -- What came before in a month, of subjects of which it is not known here.
        local function seed(keys, a)
            if not up then init() end
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

        -- More of a wallet or a budget; each grant counts once.
        local function fund(keys, a)
            if not up then init() end
            if call('HSETNX', keys[1], a[2], a[3]) == 0 then return 0 end
            local left = call('HGET', keys[1], a[1])
            call('HSET', keys[1], a[1], pk('<d', (left and up('<d', left) or 0) + up('<d', a[3])))
            return 1
        end
        redis.register_function('fund' .. suffix, fund)
        """
    }
}
