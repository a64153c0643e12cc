import Base
import Stripe

/// How Stripe is spoken to, where it takes the payments.
struct StripeSettings {
    var secretKey: Secret
    /// Two while one is being replaced.
    var webhookSecrets: [Secret]
    var baseURL: String
    /// nil: no meter hears of what was used.
    var meter: String?

    /// nil: payments are taken by hand.
    init?(_ reader: inout EnvironmentReader, hasBilling: Bool) {
        let secretKey = reader.secret(
            "STRIPE_SECRET_KEY",
            "Stripe's secret key, with ENABLE_BILLING=true; without it payments are taken by hand")
        let webhookSecret = reader.secret(
            "STRIPE_WEBHOOK_SECRET",
            "the secret under which Stripe signs what it sends to /api/v1/billing/webhooks/stripe; two with a comma "
                + "between them while one is replaced")
        baseURL = reader.text(
            "STRIPE_API_BASE", default: StripeConfiguration.usualBaseURL, "where Stripe is reached")
        meter = reader.optionalText(
            "STRIPE_METER",
            "the event name of a meter at Stripe that is told every hour how many US cents organizations were charged for use; "
                + "they are invoiced without it, so no price may hang on it")
        guard let secretKey else { return nil }
        if !hasBilling { reader.fault("STRIPE_SECRET_KEY", "needs ENABLE_BILLING=true") }
        webhookSecrets = (webhookSecret?.reveal() ?? "").split(separator: ",").compactMap {
            let text = $0.filter { !$0.isWhitespace }
            return text.isEmpty ? nil : Secret(text)
        }
        if webhookSecrets.isEmpty {
            reader.fault(
                "STRIPE_WEBHOOK_SECRET",
                "is required with STRIPE_SECRET_KEY: without it anybody could say that they have paid. Stripe shows it where the "
                    + "webhook is set up")
        }
        if !baseURL.hasPrefix("https://"), !baseURL.hasPrefix("http://") {
            reader.fault("STRIPE_API_BASE", "must be an http or https URL, such as https://api.stripe.com")
        }
        self.secretKey = secretKey
    }
}
