import Testing

@testable import Stripe

struct StripeFormTests {
    @Test func `what is nested is named in brackets, in the order in which it was given`() {
        let form: StripeForm = [
            "customer": .text("cus_1"),
            "items": .list([
                .object(["id": .text("si_1"), "plan": .text("pro")]), .object(["plan": .text("seat")]),
            ]),
            "cancel_at_period_end": .flag(true), "amount": .number(-1250),
            "metadata": .object(StripeForm(["org": "o 1", "a": "b"])),
        ]
        #expect(
            form.encoded
                == "customer=cus_1&items[0][id]=si_1&items[0][plan]=pro&items[1][plan]=seat"
                + "&cancel_at_period_end=true&amount=-1250&metadata[a]=b&metadata[org]=o%201")
    }

    @Test func `no value and no name can become another parameter`() {
        let hostile = "1&amount=1#=+%[]é\r\n"
        let expected = "1%26amount%3D1%23%3D%2B%25%5B%5D%C3%A9%0D%0A"
        let form: StripeForm = ["name": .text(hostile), "metadata": .object(StripeForm([hostile: "x"]))]
        #expect(form.encoded == "name=\(expected)&metadata[\(expected)]=x")
    }

    @Test func `what is not given is left out, and what is empty is said`() {
        let absent: String? = nil
        let form: StripeForm = [
            "email": absent.map(StripeForm.Parameter.text), "name": .text(""), "items": .list([]),
            "metadata": .object([:]),
        ]
        #expect(form.encoded == "name=")
        #expect(StripeForm().encoded == "")
    }
}
