import Admission
package import Base
import Budgets
import Identity
import JSON

/// The handlers of `BudgetEndpoints`.
extension Gateway {
    func listBudgets(_ call: APICall) async throws -> Reply {
        let found = try await budgets.budgets(
            of: call.principal.organization, archived: call.query.bool("archived"))
        return .json { json in
            json.list(found) { json, standing in json.fields(of: standing, at: call.now) }
        }
    }

    func showBudget(_ call: APICall) async throws -> Reply {
        let standing = try await budgets.budget(call.id("budget_id"), of: call.principal.organization)
        return .json { json in json.fields(of: standing, at: call.now) }
    }

    func createBudget(_ call: APICall) async throws -> Reply {
        let fields = call.fields
        guard let subject = LimitSubject(ofBudget: fields.string("subject")) else {
            throw Problem(
                faults: [Problem.Fault("subject", Self.subjects)], code: "invalid_budget")
        }
        let new = NewBudget(
            fields.string("name"), of: subject, each: fields.choice("period", as: BudgetPeriod.self),
            nanodollars: try fields.nanodollars("amount", orNothing: true)
        ) {
            $0.isSoft = !fields.bool("hard")
            $0.thresholds = fields.integers("thresholds")
            $0.emails = fields.strings("alert_emails")
            $0.webhookURL = fields.optionalString("webhook_url")
        }
        let change = try await budgets.create(new, of: call.principal.organization, by: call.actor)
        return await answer(change, call, status: 201)
    }

    private static let subjects =
        "must be organization, user:ID, key:ID, model:NAME, group:NAME (chat, embeddings or images) or tag:NAME=VALUE"

    func changeBudget(_ call: APICall) async throws -> Reply {
        let (fields, organization) = (call.fields, call.principal.organization)
        let before = try await budgets.budget(call.id("budget_id"), of: organization).budget
        var faults: [Problem.Fault] = []
        if let subject = fields.optionalString("subject"), LimitSubject(ofBudget: subject) != before.subject {
            faults.append(.init("subject", "stays as it is: make another budget"))
        }
        if let period = fields.optionalChoice("period", as: BudgetPeriod.self), period != before.period {
            faults.append(.init("period", "stays as it is: make another budget"))
        }
        if !faults.isEmpty { throw Problem(faults: faults, code: "budget_fixed") }
        let amount =
            fields.isPresent("amount") ? try fields.nanodollars("amount", orNothing: true) : nil
        let patch = BudgetPatch {
            $0.name = fields.optionalString("name")
            $0.nanodollars = amount
            $0.isSoft = fields.optionalBool("hard").map { !$0 }
            $0.thresholds = fields.isPresent("thresholds") ? fields.integers("thresholds") : nil
            $0.emails = fields.optionalStrings("alert_emails")
            if fields.isPresent("webhook_url") { $0.webhookURL = .some(fields.optionalString("webhook_url")) }
        }
        let change = try await budgets.change(before.id, of: organization, patch, by: call.actor)
        return await answer(change, call)
    }

    func deleteBudget(_ call: APICall) async throws -> Reply {
        let change = try await budgets.archive(
            call.id("budget_id"), of: call.principal.organization, by: call.actor)
        await identity.announce(change)
        return .empty()
    }

    func overrideBudget(_ call: APICall) async throws -> Reply {
        let override = Budget.Override(
            nanodollars: try call.fields.nanodollars("amount", orNothing: true),
            until: call.fields.timestamp("until"))
        return try await setOverride(override, call)
    }

    func endBudgetOverride(_ call: APICall) async throws -> Reply { try await setOverride(nil, call) }

    private func setOverride(_ override: Budget.Override?, _ call: APICall) async throws -> Reply {
        let change = try await budgets.setOverride(
            call.id("budget_id"), of: call.principal.organization, override, by: call.actor)
        return await answer(change, call, showingSecret: false)
    }

    func setBudgetLimit(_ call: APICall) async throws -> Reply {
        let change = try await budgets.setMonthly(
            of: call.principal.organization,
            nanodollars: try call.fields.nanodollars("amount", orNothing: true), by: call.actor)
        return await answer(change, call, showingSecret: false)
    }

    /// Once all gateways know of a change.
    private func answer(
        _ change: BudgetStore.Change, _ call: APICall, status: Int = 200, showingSecret: Bool = true
    ) async -> Reply {
        await identity.announce(change.keyChange)
        await takeBack(change.lowered, of: call.principal.organization)
        func reply(_ secret: Secret?) -> Reply {
            .json(status) { json in
                json.fields(of: change.standing, at: call.now)
                if showingSecret { json.field("webhook_secret", secret?.reveal()) }
            }
        }
        var shown = reply(change.webhookSecret)
        // Nobody keeps the secret.
        if change.webhookSecret != nil { shown.bodyOfReplay = reply(nil).body }
        return shown
    }

    /// Has gateways give back what they may still spend of limits. What cannot be told now they spend, or it is taken back
    /// when what is granted is compared with what is there.
    package func takeBack(_ limits: [UUID], of organization: UUID) async {
        if limits.isEmpty { return }
        do { _ = try await gatekeeper.accounts(of: limits, in: organization, takingBack: true) } catch {
            logger.warning(
                "what was granted of budgets could not be taken back", ("organization", "\(organization)"),
                ("reason", "\(error)"))
        }
    }
}

extension LimitSubject {
    /// As clients name it; nil where it is none that a budget can have.
    fileprivate init?(ofBudget text: String) {
        guard let subject = LimitSubject(ofMoney: text) else { return nil }
        switch subject {
        case .group(.management): return nil
        case .model(let name) where name.isEmpty: return nil
        case .tag(let tag):
            guard let place = tag.firstIndex(of: "="), place != tag.startIndex else { return nil }
        default: break
        }
        self = subject
    }
}

extension Fields {
    fileprivate func integers(_ name: String) -> [Int] { value(name)?.elements.compactMap(\.int) ?? [] }
}
