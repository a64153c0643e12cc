import Base
import Billing
import Catalog
import JSON

/// What the billing routes take and answer with, described once.
extension Schema {
    /// Nano-dollars, twice.
    static let billedAmount = Schema.object([
        Field(
            "nano", .string(TextRule(1...20, pattern: TextPattern("-?[0-9]+"))), "In billionths of a dollar."),
        Field(
            "usd", .string(TextRule(1...32, pattern: TextPattern(#"-?[0-9]+(\.[0-9]+)?"#))),
            "The same in dollars, not rounded."),
    ]).named("BilledAmount")

    /// As it is sent: see `Fields.nanodollars`.
    static let sentAmount = Schema.object([
        Field(
            "usd",
            .string(
                TextRule(
                    1...18, pattern: TextPattern(#"(0|[1-9][0-9]{0,7})(\.[0-9]{1,9})?"#),
                    noun: "dollars as a decimal number in a string, such as \"25.50\"")), "In dollars.")
    ]).named("SentAmount")

    static let billingInterval = Schema.choice(of: BillingInterval.self)
    static let planName = Schema.string(
        TextRule(
            1...64, pattern: TextPattern("[a-z0-9][a-z0-9_-]{0,63}"),
            noun: "a name of a to z, 0 to 9, - and _"))
    static let priceCents = Schema.integer(0...Int(SubscribedPlan.mostCents))

    static let commission = Schema.object([
        Field("basis_points", .integer(0...Commission.mostPoints(.markup)), "In hundredths of a percent."),
        Field(
            "mode", .choice(of: Commission.Mode.self),
            "`markup`: so much is added to the cost; `take_rate`: so much of what is paid is kept."),
    ]).named("Commission")

    /// All of a plan but its name. Optional where it is sent.
    static let planFields = [
        Field("title", .line(1...200), "As people read it."),
        Field("price_cents", priceCents, "For one interval, in US cents."),
        Field("interval", billingInterval, isRequired: false, default: #""month""#, "How long a period is."),
        Field("limits", .limitRules, isRequired: false, default: "{}", "What it limits."),
        Field(
            "trial_days", .integer(0...Plan.mostTrialDays), isRequired: false, default: "0",
            "How long it may be tried."),
        .optional(
            "models_per_request", .integer(1...Plan.mostModelsPerRequest), isNullable: true,
            "How many models one request may be sent to; null: any number."),
        .optional(
            "models", .array(of: .line(1...300), 1...Plan.mostModels, isUnique: true), isNullable: true,
            "The models that it has, by any of their names; null: all."),
        Field(
            "features", .array(of: planName, 0...Plan.mostFeatures, isUnique: true), isRequired: false,
            default: "[]", "Names of what else belongs to it."),
        .optional(
            "commission", commission, isNullable: true, "What is taken of what requests cost; null: nothing."),
        Field(
            "custom", .boolean, isRequired: false, default: "false",
            "Its price is agreed upon with each customer: nobody subscribes to it by themselves."),
        Field(
            "position", .integer(0...1_000_000), isRequired: false, default: "0",
            "Where it stands among the others."),
    ]

    static let plan = Schema.object(
        [
            Field("name", planName, "How it is called in requests.")
        ] + planFields + [
            Field("price", billedAmount, "For one interval."),
            Field("archived", .boolean, "Whether nobody gets it any more."),
            Field("source", .choice(["hivegate", "operator"]), "Who said last what it is."),
        ]
    ).named("Plan")

    private static let subscribedPlan = Schema.object([
        Field("name", planName, "The plan."),
        Field("title", .string(1...200), "As people read it."),
        Field("price", billedAmount, "For one interval, as it was when it was chosen."),
        Field("interval", billingInterval, "How long a period is."),
    ]).named("SubscribedPlan")

    static let subscription = Schema.object([
        Field("id", .uuid, "The subscription."),
        Field("organization_id", .uuid, "Whose it is."),
        Field("status", .choice(of: SubscriptionStatus.self), "How it stands."),
        Field("plan", subscribedPlan, "What is paid for."),
        Field("next_plan", subscribedPlan, isNullable: true, "What it becomes when the period ends."),
        Field("plan_in_force", planName, "What the organization has now: `free` where it does not pay."),
        Field("period_start", .timestamp, "When the period began."),
        Field("period_end", .timestamp, "When it ends."),
        Field("trial_end", .timestamp, isNullable: true, "When the trial ends."),
        Field("grace_until", .timestamp, isNullable: true, "Up to then an overdue invoice changes nothing."),
        Field("owed_since", .timestamp, isNullable: true, "When the oldest invoice is due that is not paid."),
        Field("cancel_at_period_end", .boolean, "Whether it ends with its period."),
        Field("ended_at", .timestamp, isNullable: true, "When it ended."),
        Field("created_at", .timestamp, "When it was begun."),
        Field("version", .integer(1...Int.max), "Raised by every change."),
    ]).named("Subscription")

    static let invoiceLine = Schema.object([
        Field("kind", .choice(of: InvoiceLine.Kind.self), "What it is for."),
        Field("text", .string(1...500), "As it is printed."),
        Field("period_start", .timestamp, isNullable: true, "From when, where it is for a time."),
        Field("period_end", .timestamp, isNullable: true, "Up to when."),
        Field("amount", billedAmount, "Below nothing: for the customer."),
    ]).named("InvoiceLine")

    static let invoice = Schema.object([
        Field("id", .uuid, "The invoice."),
        Field("organization_id", .uuid, "Who is asked."),
        Field("subscription_id", .uuid, isNullable: true, "For which subscription."),
        Field(
            "number", .integer(1...Int.max), isNullable: true, "1, 2, 3 in each organization; null: a draft."),
        Field("status", .choice(of: Invoice.Status.self), "How it stands."),
        Field("bill_to", .string(0...2000), isNullable: true, "Who is asked, a line each."),
        Field("lines", .array(of: invoiceLine, 0...10_000), "What for."),
        Field("total", billedAmount, "What it comes to."),
        Field("paid", billedAmount, "What of it was paid."),
        Field("rest", billedAmount, "What is left to pay."),
        Field("created_at", .timestamp, "When it was made."),
        Field("opened_at", .timestamp, isNullable: true, "When it was sent."),
        Field("due_at", .timestamp, isNullable: true, "When it is to be paid."),
        Field("closed_at", .timestamp, isNullable: true, "When it was paid, or came to another end."),
    ]).named("Invoice")
}

extension Fields {
    /// An amount as `Schema.sentAmount` describes it, in nano-dollars: more than nothing.
    ///
    /// - Parameters:
    ///   - inCents: whether it has to be whole cents.
    ///   - orNothing: whether it may be nothing, too.
    func nanodollars(_ name: String, inCents: Bool = false, orNothing: Bool = false) throws(Problem) -> Int64
    {
        let parts = (optionalFields(name)?.string("usd") ?? "").split(separator: ".")
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let digits = parts[0] + fraction + String(repeating: "0", count: 9 - fraction.utf8.count)
        guard let nanodollars = Int64(digits), nanodollars > 0 || orNothing else {
            throw Problem(
                faults: [Problem.Fault("\(name).usd", "must be more than 0")], code: "invalid_amount")
        }
        if inCents, nanodollars % USCents.nanodollars != 0 {
            throw Problem(
                faults: [Problem.Fault("\(name).usd", "must be whole cents")], code: "invalid_amount")
        }
        return nanodollars
    }
}
