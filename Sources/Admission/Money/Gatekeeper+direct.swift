import Base

/// Money without Redis: the database gives each request exactly what it may cost, and takes back what it did not.
extension Gatekeeper {
    func admitDirectly(
        _ request: AdmissionRequest, _ need: MoneyNeed, of organization: UUID
    ) async -> Verdict {
        // Who is refused anyway costs the database nothing.
        if let refusal = refusalAlone(request) {
            note(.refused(refusal), isLocal: true)
            return .refused(refusal)
        }
        let amount = max(0, need.nanodollars)
        guard let treasury else {
            return unfunded(Shortage(need.limits[0], .unavailable, affordable: 0), isLocal: true)
        }
        let wishes =
            amount > 0
            ? need.limits.map {
                MoneyWish($0.id, least: amount, wanted: nil, worker: Int64(identity), note: request.note)
            } : []
        if !wishes.isEmpty {
            guard let answer = await treasury.take(wishes, of: organization) else {
                return unfunded(Shortage(need.limits[0], .unavailable, affordable: 0), isLocal: true)
            }
            guard answer.amounts != nil else {
                return unfunded(
                    Shortage(need.limits, need: amount, answer.rooms, nil), isLocal: true)
            }
            counters?.fundDirectly(wishes.count)
        }
        // Others have come meanwhile.
        let verdict = admitLocally(request)
        let grants = wishes.map(\.grant)
        guard case .admitted(let permit) = verdict else {
            treasury.settle(Treasury.Bill(grants: grants, costs: [], organization: organization))
            return verdict
        }
        permit.money?.grants = grants
        counters?.hold()
        return verdict
    }

    /// What the database is to be told of a request that it has paid for.
    func bill(_ permit: Permit, at costs: [Int64]) -> Treasury.Bill? {
        guard case .organization(let organization) = permit.subjects.place,
            let grants = permit.money?.grants
        else { return nil }
        return Treasury.Bill(grants: grants, costs: costs, organization: organization)
    }
}
