import Analytics
import Base
import Catalog
import Identity
import JSON

/// The handler of `ReceiptEndpoints`.
extension Gateway {
    func showReceipt(_ call: APICall) async throws -> Reply {
        let request = call.text("request_id")
        let receipts = try await analytics.receipts(of: request, in: call.principal.organization)
        if receipts.isEmpty { throw Problem.nothingHere }
        let prices = catalog.snapshot
        return .json { json in
            json.field("request_id", request)
            json.nanodollars("charge", receipts.reduce(0) { $0 + $1.charge })
            json.array("calls") { json in
                for receipt in receipts {
                    json.object { json in
                        json.fields(of: receipt) { attempt in
                            attempt.price(in: prices.model(id: attempt.model)?.prices ?? []).flatMap {
                                attempt.lines(at: $0)
                            }
                        }
                    }
                }
            }
        }
    }
}

extension Receipt {
    fileprivate var charge: Int64 { attempts.reduce(0) { $0 + $1.charge } }
}

extension Receipt.Attempt {
    /// The one that held, of its model's; nil where it is not there any more.
    fileprivate func price(in list: [ModelPrice]) -> ModelPrice? {
        let price = list.first { $0.from == priceFrom }
        guard override != nil else { return price }
        // An own price alone begins when it says; over a list price it goes by that one's name.
        guard let own = ownPrice?.price, price != nil || own.from == priceFrom else { return nil }
        return own.laid(over: price)
    }
}

extension JSONWriter {
    fileprivate mutating func fields(of receipt: Receipt, lines: (Receipt.Attempt) -> [ChargeLine]?) {
        field("id", receipt.call.description)
        field("at", receipt.at.description)
        array("attempts") { json in
            for attempt in receipt.attempts {
                json.object { $0.fields(of: attempt, lines(attempt)) }
            }
        }
        nanodollars("charge", receipt.charge)
        array("paid_by") { json in
            for payment in receipt.payments {
                json.object { json in
                    json.field("limit_id", payment.limit.description)
                    json.field("kind", payment.kind)
                    json.field("subject", payment.subject)
                    json.nanodollars("amount", payment.amount)
                }
            }
        }
        field("batch_id", receipt.batch.description)
        array("transfers") { json in
            for transfer in receipt.transfers {
                json.object { json in
                    json.field("debit", transfer.debit)
                    json.field("credit", transfer.credit)
                    json.nanodollars("amount", transfer.amount)
                }
            }
        }
    }

    private mutating func fields(of attempt: Receipt.Attempt, _ lines: [ChargeLine]?) {
        field("provider", attempt.provider)
        field("model", attempt.model)
        field("own_key", attempt.isOwnKey)
        field("estimated", attempt.isEstimated)
        field("price_from", attempt.priceFrom?.description)
        field("override_id", attempt.override?.description)
        if let lines {
            array("lines") { json in
                for line in lines {
                    json.object { json in
                        json.field("kind", line.kind)
                        json.field("count", line.count)
                        json.field("rate_pico", String(line.rate))
                        json.field("amount_pico", String(line.amount))
                    }
                }
            }
        } else {
            null("lines")
        }
        if let cost = attempt.cost { nanodollars("cost", cost) } else { null("cost") }
        nanodollars("commission", attempt.commission)
        nanodollars("charge", attempt.charge)
    }
}
