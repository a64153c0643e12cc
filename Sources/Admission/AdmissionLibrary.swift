import Redis

/// The functions in Redis that decide. What they keep of an organization is one hash:
///
/// | field | what |
/// |---|---|
/// | `g` | the generation of its keys (see Identity) |
/// | `x` | how often its cache was purged (see Cache) |
/// | `o`, `u…`, `k…`, `m…`, `e…` | a `WindowState` of the organization, a user, a key, a model, a group of endpoints |
/// | `c` and a subject | requests under way: who, how many, until when that is believed; 24 bytes each |
/// | `b…` | the slice of a wallet or a budget: nano-dollars left and held, the run, since when; see `money` |
/// | `h…` | what is held for a request: the run, the time, of each limit its id and the amount, and a `HoldNote` |
/// | `t…` | grants that came into a slice lately: their ids and when, 24 bytes each |
package enum AdmissionLibrary {
    static let library = RedisLibrary(name: "hivegate_admission", source: source(clock: redisClock))

    static let admit = library.function("admit")
    static let settle = library.function("settle")
    static let renew = library.function("renew")
    static let seed = library.function("seed")
    static let fund = library.function("fund")
    static let live = library.function("live")
    static let workers = library.function("workers")
    static let account = library.function("account")

    /// For a function `clock` that says seconds and microseconds.
    private static let redisClock = """
        local function clock()
            local time = call('TIME')
            return time[1] + 0, time[2] + 0
        end
        """

    /// - Parameter clock: defines `clock()`; tests have a clock of their own.
    package static func source(clock: String) -> String {
        [
            shared, clock, windows, slots, money, admitting, settling, renewing, seeding, funding, counting,
            accounting,
        ]
        .joined(separator: "\n\n")
    }

    private static let shared = """
        local up, pk, floor, call, concat, sub, zero, run
        local STATE = '<dddddddddddddddd'
        -- No window is limited to as much.
        local NONE = 1e15

        -- What a library may use is there only when it is called.
        local function prepare()
            up, pk, floor, call = struct.unpack, struct.pack, math.floor, redis.call
            concat, sub, zero = table.concat, string.sub, string.rep('\\0', \(WindowState.byteCount))
            -- The last two change where a replica becomes the master, also one that was it before: then what it has
            -- is another's, and this is looked up anew, since libraries come with the data.
            local all = call('INFO', 'server', 'replication')
            local name = string.match(all, 'run_id:(%x+)') .. string.match(all, 'master_replid2:(%x+)')
                .. string.match(all, 'second_repl_offset:([-%d]+)')
            run = tonumber(sub(redis.sha1hex(name), 1, 12), 16)
        end
        """

    private static let windows = """
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
        """

    private static let money = """
        local SLICE = '<dddd'

        -- What is left and held of a slice, since when it is there, and whether it is. One of another run is none: it
        -- came back from a snapshot, a log or another server, and what was spent of it since is not known.
        local function slice(state, ms)
            if state then
                local left, held, whose, born = up(SLICE, state)
                if whose == run then return left, held, born, true end
            end
            return 0, 0, ms, false
        end
        """

    private static let slots = """
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
        """
}
