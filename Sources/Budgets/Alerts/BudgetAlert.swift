import Admission
import Base
import Identity
import JSON

/// That a budget's window has reached a threshold.
struct BudgetAlert: Sendable {
    /// The same however often it is sent.
    let id: UUID
    let threshold: Int
    let at: Timestamp
    let budget: Budget
    /// As it was then.
    let window: BudgetWindow

    // MARK: As a webhook

    static let signatureField = "Hivegate-Signature"

    var body: [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.field("id", id.description)
            json.field("type", "budget.threshold_reached")
            json.field("created_at", at.description)
            json.field("organization_id", budget.organization.description)
            json.object("budget") { json in
                json.field("id", budget.id.description)
                json.field("name", budget.name)
                json.field("subject", budget.subject.text)
                json.field("period", budget.period.rawValue)
                json.field("hard", !budget.isSoft)
            }
            json.field("threshold", threshold)
            json.dollars("spent", window.spent)
            json.dollars("amount", window.cap)
            json.field("window_start", window.range?.lowerBound.description)
            json.field("window_end", window.range?.upperBound.description)
        }
        return json.bytes
    }

    /// `t=1800000000,v1=…`: HMAC-SHA256 of the time, a dot and the body, under the webhook's secret.
    static func signature(of body: [UInt8], under secret: Secret, at now: Timestamp) -> String {
        var code: [UInt8] = []
        code.append(
            hex: KeyedDigest(key: Array(secret.reveal().utf8)).hmacSHA256(
                of: Array("\(now.seconds).".utf8) + body))
        return "t=\(now.seconds),v1=\(String(decoding: code, as: UTF8.self))"
    }

    // MARK: As a mail

    func mail(to address: String) -> MailMessage {
        // A name may hold what a mail program would take for a link or a line of its own.
        let name = budget.name.filter { $0.isLetter || $0.isNumber || " -_'&,()".contains($0) }
        let end = window.range.map { " It ends at \($0.upperBound)." } ?? ""
        let consequence =
            budget.isSoft || window.spent < window.cap
            ? ""
            : "\n\nRequests that it has no money for are refused, where budgets are enforced, until it is raised or ends."
        return MailMessage(
            to: address, subject: "A budget has reached \(threshold) %",
            text: """
                The budget "\(name)" has reached \(threshold) %: $\(Self.dollars(window.spent)) of $\(Self.dollars(window.cap)) are spent.\(end)\(consequence)

                You are told this once for each of its windows, because your address is among those of the budget's alerts.
                """)
    }

    static func dollars(_ nanodollars: Int64) -> String {
        String(decoding: DollarText.bytes(Int(nanodollars), places: 9), as: UTF8.self)
    }
}

extension JSONWriter {
    fileprivate mutating func dollars(_ name: StaticString, _ nanodollars: Int64) {
        object(name) { json in
            json.field("nano", String(nanodollars))
            json.field("usd", BudgetAlert.dollars(nanodollars))
        }
    }
}
