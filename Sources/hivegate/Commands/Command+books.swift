import Admission
import Base
import Identity
import Metering

extension Command {
    static let verify = Command(
        name: "verify", summary: "check that the books and the audit trail are whole", synopsis: "",
        description: """
            Adds everything up anew: events are as they were booked, transfers pay for them, balances follow from transfers
            and add up to nothing, limits have settled what events say, and so do all sums. Then it goes through the audit
            trail of every organization and of the instance, and says where the first entry is that was changed, removed,
            moved or added from outside. Gateways may go on meanwhile. Exits with 1 at a difference, and says where it is.

            It prints the length and the end of each chain. Keep a copy elsewhere: whoever puts an old copy of the whole
            database in place changes nothing but that.
            """
    ) { arguments throws(Misuse) in
        guard arguments.isEmpty else { throw Misuse(reason: "takes no arguments") }
        return Administration.run { administration in
            var breachCount = 0
            try await BookVerification(administration.pool).run { check in
                if check.difference != nil { breachCount += 1 }
                Console.print("\(check.name): \(check.difference ?? "yes")")
            }
            try await AuditVerification(administration.pool, administration.audit).run { chain in
                let name =
                    chain.organization == AuditEntry.instance ? "the instance" : "\(chain.organization)"
                if let breach = chain.breach {
                    breachCount += 1
                    Console.print("\(name): \(breach)")
                } else {
                    Console.print(
                        "\(name): \(chain.entryCount) entries, whole, end \(String(hex: chain.end.prefix(8)))"
                    )
                }
            }
            if breachCount > 0 { throw Unsound(description: "\(breachCount) checks failed") }
        }
    }

    static let drain = Command(
        name: "drain", summary: "bring into the books what gateways left behind", synopsis: "[--take-back]",
        description: """
            Brings what lies in the journals into the books, ends what is held for calls of gateways that have died, and sets
            what is granted to what can still be spent. Servers do the same all the time; this is for when none is left.

              --take-back  takes back what gateways have not spent: afterwards nothing is granted
            """
    ) { arguments throws(Misuse) in
        let arguments = try Arguments(arguments, options: [], flags: ["--take-back"])
        guard arguments.words.isEmpty else { throw Misuse(reason: "takes no words") }
        let takingBack = arguments.has("--take-back")
        return Administration.run { administration in
            var patience = Recovery.Patience()
            // Who is asked to do it now does not wait, but for what is on its way.
            (patience.entries, patience.limits, patience.holds) = (.zero, .zero, .zero)
            let metrics = Metrics()
            let gatekeeper = Gatekeeper(administration.redis)
            if try await gatekeeper.livingWorkers() == nil {
                administration.logger.info("Redis is new: gateways that live have 6 seconds to say so")
            }
            let recovery = Recovery(
                administration.pool, administration.redis, gatekeeper,
                counters: MeteringCounters(in: metrics, of: UsageQueue()), logger: administration.logger,
                patience: patience)
            let done = try await recovery.runWholly(takingBack: takingBack)
            Console.print(
                "\(done.calls) calls came into the books, \(done.orphans) were lost with their gateways, "
                    + "\(done.nanodollars) nano-dollars were given back")
        }
    }
}
