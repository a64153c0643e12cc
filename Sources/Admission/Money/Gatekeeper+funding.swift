import Base
import Redis

/// Money on its way from the database to Redis.
extension Gatekeeper {
    /// How long a grant may come into its slice; after that it does not any more, and Redis need not remember it.
    private static let lifeOfFunding: Int64 = 5000
    private static let memoryOfFunding: Int64 = 10_000
    /// Grants that Redis remembers of a limit: one more has to wait.
    private static let mostFundings: Int64 = 256
    private static let mostSendings = 3

    /// Asks the database for what is lacking of `limits`, for all who wait for it, and tells Redis. Answers what the
    /// database said; nil where it does not.
    func fund(
        _ limits: [MoneyLimit], _ need: MoneyNeed, _ short: MoneySlices, _ treasury: Treasury,
        of organization: UUID
    ) async -> GrantAnswer? {
        let lefts = Dictionary(
            zip(need.limits, short.slices.map(\.left)), uniquingKeysWith: { one, _ in one })
        let wishes = limits.map { limit in
            let left = lefts[limit] ?? 0
            return MoneyWish(
                limit.id, least: need.nanodollars - left, wanted: max(0, treasury.hope(for: limit) - left))
        }
        guard var answer = await treasury.take(wishes, of: organization) else { return nil }
        guard let amounts = answer.amounts else { return answer }
        counters?.fund(amounts.count)
        let unused = await deliver(zip(wishes, amounts).map { ($0.grant, $1) }, short, of: organization)
        treasury.settle(Treasury.Bill(grants: unused, costs: [], organization: organization))
        for (place, wish) in wishes.enumerated() where unused.contains(wish.grant) {
            answer.rooms[place].room += amounts[place]
            answer.rooms[place].granted -= amounts[place]
        }
        return answer
    }

    /// Tells Redis of grants. Says which surely did not come in. What may have come in and may not stays granted until it
    /// is reconciled.
    private func deliver(
        _ grants: [(grant: MoneyGrant, amount: Int64)], _ short: MoneySlices, of organization: UUID
    ) async -> [MoneyGrant] {
        var isUncertain = false
        for _ in 0..<Self.mostSendings {
            let command = command(funding: grants, short, isRepeated: isUncertain, of: organization)
            do throws(RedisError) {
                let value = try await redis.send(
                    command, using: AdmissionLibrary.library, timeout: bounds.patience,
                    waitsForConnection: true)
                let said = value.bytes ?? []
                return grants.enumerated().filter { place, _ in
                    let isThere =
                        said.count >= 8 * (place + 1)
                        && said.withUnsafeBytes { $0.double(at: 8 * place) } > 0
                    return !isThere && !isUncertain
                }.map(\.element.grant)
            } catch {
                if error.mayHaveExecuted { isUncertain = true }
                if error.reason == .cancelled { break }
            }
        }
        return isUncertain ? [] : grants.map(\.grant)
    }

    private func command(
        funding grants: [(grant: MoneyGrant, amount: Int64)], _ short: MoneySlices, isRepeated: Bool,
        of organization: UUID
    ) -> RedisCommand {
        let place = Place.organization(organization)
        var command = RedisCommand(calling: AdmissionLibrary.fund, keyCount: 1)
        command.add(place.key)
        command.add(
            [
                short.run, Double(short.time), Double(short.time + Self.lifeOfFunding), isRepeated ? 1 : 0,
                Double(Self.memoryOfFunding), Double(Self.mostFundings), Double(life(at: place)),
            ])
        for (grant, amount) in grants {
            command.add(grant.limit.bytes)
            command.add(grant.id.bytes)
            command.add([Double(amount)])
        }
        return command
    }
}
