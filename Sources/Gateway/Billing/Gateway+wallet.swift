import Admission
import Base
import Billing
import Identity
import JSON
import Ledger
import Postgres

/// The handlers of `WalletEndpoints`.
extension Gateway {
    func showBalance(_ call: APICall) async throws -> Reply {
        let organization = call.principal.organization
        let balance = try await requireBilling().wallets.balance(of: organization)
        return await answer(balance, 200, of: organization)
    }

    func changeWallet(_ call: APICall, _ book: WalletStore.Booking) async throws -> Reply {
        let billing = try requireBilling()
        let organization = call.fields.id("organization_id")
        let change = try await book(billing.wallets)(
            organization, try call.fields.nanodollars("amount"), call.fields.string("reference"), call.actor)
        if let keyChange = change.keyChange { await identity.announce(keyChange) }
        return await answer(change.balance, 201, of: organization)
    }

    private func answer(
        _ balance: WalletStore.Balance, _ status: Int, of organization: UUID
    ) async -> Reply {
        let account = await accounts(of: balance.limit.map { [$0] } ?? [], in: organization)?.first
        // What Redis has free of the grants may be spent as well.
        let available =
            account.map { max(0, balance.cap - balance.settled - $0.held - $0.paid) } ?? balance.free
        return .json(status) { json in
            json.field("organization_id", organization.description)
            json.amount("wallet", balance.wallet)
            json.amount("promo", balance.promo)
            json.amount("receivable", balance.receivable)
            json.amount("granted", balance.granted)
            json.amount("held", ifKnown: balance.limit == nil ? 0 : account?.held)
            json.amount("available", available)
        }
    }

    /// What Redis has of each; nil where that cannot be known now.
    private func accounts(of limits: [UUID], in organization: UUID) async -> [Gatekeeper.Account]? {
        if limits.isEmpty { return [] }
        return (try? await gatekeeper.accounts(of: limits, in: organization)) ?? nil
    }

    // MARK: In use

    func listHolds(_ call: APICall) async throws -> Reply {
        let organization = call.principal.organization
        let grants = try await requireBilling().wallets.grants(of: organization)
        let granted = Dictionary(grants.map { ($0.limit, $0.nanodollars) }, uniquingKeysWith: +)
        let limits = granted.keys.sorted { $0.description < $1.description }
        let accounts = await accounts(of: limits, in: organization)
        return .json { json in
            json.array("limits") { json in
                for (place, limit) in limits.enumerated() {
                    json.object { json in
                        json.field("limit_id", limit.description)
                        json.amount("granted", granted[limit] ?? 0)
                        json.amount("held", ifKnown: accounts?[place].held)
                        json.amount("left", ifKnown: accounts?[place].left)
                    }
                }
            }
            json.array("grants") { json in
                for grant in grants {
                    json.object { json in
                        json.field("id", grant.id.description)
                        json.field("limit_id", grant.limit.description)
                        json.amount("amount", grant.nanodollars)
                        json.field("quarantined", grant.isQuarantined)
                        json.field("at", grant.at.description)
                    }
                }
            }
        }
    }

    // MARK: The books

    func listLedger(_ call: APICall) async throws -> Reply {
        let limit = call.query.integer("limit")
        let cursor = try call.query.optionalString("cursor").map(Self.ledgerCursor)
        let organization = call.principal.organization
        let entries = try await requireBilling().wallets.pool.transaction(
            tenant: organization, readOnly: true
        ) { transaction in
            try await Ledger.entries(of: organization, behind: cursor, most: limit, in: transaction)
        }
        let hasMore = entries.count == limit
        return .json { json in
            json.list(entries, hasMore: hasMore) { json, entry in
                let transfer = entry.transfer
                json.field("id", transfer.id.description)
                json.field("at", entry.at.description)
                json.field("from", transfer.debit.rawValue)
                json.field("to", transfer.credit.rawValue)
                json.amount("amount", transfer.nanodollars)
                json.field("reason", transfer.reason)
                // One without has its own name there.
                let isNamed = transfer.reference != transfer.id.description
                json.field("reference", isNamed ? transfer.reference : nil)
                json.field("batch_id", entry.batch?.description)
            }
            let last = hasMore ? entries.last : nil
            json.field("next", last.map { "\($0.at.microseconds).\($0.transfer.id)" })
        }
    }

    private static func ledgerCursor(_ text: String) throws(Problem) -> (at: Timestamp, id: UUID) {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let at = Int64(parts[0]), let id = UUID(String(parts[1])),
            abs(Int128(at)) < 1 << 52
        else {
            throw Problem(
                faults: [Problem.Fault("cursor", "must be the next of a page before")], code: "invalid_cursor"
            )
        }
        return (Timestamp(microseconds: at), id)
    }
}

extension JSONWriter {
    fileprivate mutating func amount(_ name: StaticString, ifKnown nanodollars: Int64?) {
        if let nanodollars { return amount(name, nanodollars) }
        key(name)
        null()
    }
}
