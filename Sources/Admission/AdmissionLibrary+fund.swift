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
        -- More of a wallet or a budget; each grant counts once.
        local function fund(keys, a)
            if not up then prepare() end
            if call('HSETNX', keys[1], a[2], a[3]) == 0 then return 0 end
            local left = call('HGET', keys[1], a[1])
            call('HSET', keys[1], a[1], pk('<d', (left and up('<d', left) or 0) + up('<d', a[3])))
            return 1
        end
        redis.register_function('fund' .. suffix, fund)
        """
}
