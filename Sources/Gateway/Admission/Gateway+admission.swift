import Admission
import Base
import HTTPServer
import HTTPWire
import Identity
import Redis

/// Who may go on now: the key as Redis knows it, and all limits, in one trip.
extension Gateway {
    /// What came back of the first trip.
    struct Entry {
        let permit: Permit
        /// Of the commands beside.
        let values: ArraySlice<RedisValue>
    }

    /// Lets a request in, or throws what it is refused for; nil where the caller is another than was thought: then all
    /// that depends on them is to be found out anew.
    func enter(
        _ arrival: Arrival, asking model: String?, in group: EndpointGroup, tokens: Int64 = 0,
        beside others: [RedisCommand] = [], _ exchange: Exchange
    ) async throws -> Entry? {
        let (subjects, calendar) = try subjects.subjects(of: arrival.caller, asking: model, in: group)
        let request = AdmissionRequest(
            subjects, generation: arrival.generation, tokens: tokens, calendar: calendar)
        let (verdict, values) = await gatekeeper.admit(request, beside: others)
        switch verdict {
        case .admitted(let permit):
            let caller = arrival.caller
            do {
                try await confirm(arrival, by: permit.generation)
            } catch {
                gatekeeper.settle(permit, tokens: 0)
                throw error
            }
            guard arrival.caller === caller || arrival.caller == caller else {
                gatekeeper.settle(permit, tokens: 0)
                return nil
            }
            RateFields.append(permit.standing, to: &exchange.responseFields, now: time.timestamp(), exchange)
            if permit.isLocal { exchange.responseFields.append("X-Hivegate-Degraded", "redis") }
            return Entry(permit: permit, values: values)
        case .refused(let refusal):
            // Whose key was revoked learns that, and nothing of limits.
            try await confirm(arrival, by: refusal.isLocal ? .unavailable : .current)
            RateFields.append(refusal.standing, to: &exchange.responseFields, now: time.timestamp(), exchange)
            if refusal.isLocal { exchange.responseFields.append("X-Hivegate-Degraded", "redis") }
            throw Problem(refusal)
        case .outdated(let generation):
            guard try await keys.confirm(arrival, by: .generation(generation)) else {
                throw Problem.invalidKey
            }
            return nil
        }
    }

    private func confirm(_ arrival: Arrival, by generation: Permit.Generation) async throws {
        let reading: KeyGenerations.Reading =
            switch generation {
            case .current: .generation(arrival.generation)
            case .unknown: .none
            case .unavailable: .unavailable
            }
        guard try await keys.confirm(arrival, by: reading) else { throw Problem.invalidKey }
        try Self.demand(.inference, of: arrival.caller)
    }

    /// What is wrong with a request is told only to those whose key still holds.
    func confirmBeforeRefusing(_ arrival: Arrival) async throws {
        if arrival.isConfirmed { return }
        guard try await keys.confirm(arrival) else { throw Problem.invalidKey }
    }

    /// Lets a request in that asks for nothing but a model; who may answer it, and that it may go on.
    func admitted(
        _ arrival: Arrival, asking model: String, _ wishes: RouteWishes, in group: EndpointGroup,
        tokens: Int64 = 0, _ exchange: Exchange
    ) async throws -> (candidates: [Candidate], permit: Permit) {
        while true {
            let candidates = try await candidates(for: model, wishes, arrival.caller)
            if let entry = try await enter(
                arrival, asking: candidates[0].id, in: group, tokens: tokens, exchange)
            {
                return (candidates, entry.permit)
            }
        }
    }
}
