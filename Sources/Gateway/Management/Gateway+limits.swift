import Admission
import Base
import Identity
import JSON

/// The handlers of `LimitEndpoints`.
extension Gateway {
    private static let noRules = Array("{}".utf8)

    // MARK: What holds

    /// - Parameter writeMore: what else is said.
    func showEffectiveLimits(
        _ call: APICall, with writeMore: (inout JSONWriter) -> Void = { _ in }
    ) async throws -> Reply {
        let principal = call.principal
        let terms = try await terms(of: principal)
        let limits = EffectiveLimits(
            try .stated(by: terms), user: principal.user, key: principal.caller?.key,
            keyLimits: principal.caller?.limits.map { .init(stored: $0) } ?? .init())
        let entries = limits.all
        let uses = await uses(for: entries, in: principal.organization, terms)
        return .json { json in
            json.field("organization_id", principal.organization.description)
            json.field("plan", terms?.plan)
            json.field("time_zone", terms?.timeZone ?? OrganizationTerms.usualZone)
            json.array("limits") { json in
                for entry in entries {
                    json.object { json in json.fields(of: entry, uses?[entry.subject]) }
                }
            }
            if uses == nil { json.field("degraded", true) }
            writeMore(&json)
        }
    }

    /// What is used of what the entries are about; nil where that cannot be known now.
    private func uses(
        for entries: [EffectiveLimits.Entry], in organization: UUID, _ terms: OrganizationTerms?
    ) async -> [LimitSubject: SubjectUse]? {
        let subjects = Array(Set(entries.map(\.subject)).subtracting([.eachModel]))
        let calendar = Admission.Calendar(terms)
        guard let uses = await gatekeeper.use(of: subjects, in: organization, calendar: calendar) else {
            return nil
        }
        return Dictionary(uniqueKeysWithValues: zip(subjects, uses))
    }

    /// A key's were read with it.
    func terms(of principal: Principal) async throws -> OrganizationTerms? {
        if let caller = principal.caller { return caller.terms }
        return try await identity.store.terms(of: principal.organization)
    }

    // MARK: An organization's own

    func showLimits(_ call: APICall) async throws -> Reply {
        let organization = try call.ownOrganization()
        let stored = try await identity.store.limits(of: organization)
        return .json { json in Self.write(stored, of: organization, to: &json) }
    }

    func setLimits(_ call: APICall) async throws -> Reply {
        let organization = try call.ownOrganization()
        var patch = IdentityStore.LimitsPatch()
        patch.own = try Self.rules("limits", call)
        patch.timeZone = call.fields.optionalString("time_zone")
        await identity.announce(
            try await identity.store.setLimits(of: organization, patch, by: call.actor))
        return try await showLimits(call)
    }

    // MARK: For the operator

    func showAnyLimits(_ call: APICall) async throws -> Reply {
        let organization = call.id("organization_id")
        let stored = try await identity.store.limits(ofAny: organization)
        return .json { json in
            Self.write(stored, of: organization, to: &json)
            json.field("overrides", raw: stored.overrides ?? Self.noRules)
        }
    }

    func setAnyLimits(_ call: APICall) async throws -> Reply {
        var patch = IdentityStore.LimitsPatch()
        if call.fields.isPresent("plan") { patch.plan = .some(call.fields.optionalString("plan")) }
        patch.overrides = try Self.rules("overrides", overrides: true, call)
        patch.timeZone = call.fields.optionalString("time_zone")
        await identity.announce(
            try await identity.store.setLimits(ofAny: call.id("organization_id"), patch, by: call.actor))
        return try await showAnyLimits(call)
    }

    // MARK: Inside

    /// As they are stored: nil within for none, and nil where nothing was sent.
    private static func rules(
        _ name: String, overrides: Bool = false, _ call: APICall
    ) throws(Problem) -> [UInt8]?? {
        guard let sent = call.fields.value(name) else { return nil }
        let rules = try LimitRules(json: Array(sent.bytes), overrides: overrides, at: name)
        return .some(rules.isEmpty ? nil : rules.json)
    }

    private static func write(
        _ stored: IdentityStore.StoredLimits, of organization: UUID, to json: inout JSONWriter
    ) {
        json.field("organization_id", organization.description)
        json.field("plan", stored.plan)
        json.field("limits", raw: stored.own ?? noRules)
        json.field("time_zone", stored.timeZone)
    }
}

extension Principal {
    /// Where they showed a key.
    fileprivate var caller: Caller? {
        if case .key(let caller) = credential { caller } else { nil }
    }
}
