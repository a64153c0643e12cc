import Admission
import Testing

@Suite struct LimitsTests {
    @Test func `what limits nothing is empty, and a limit of nought is none of it`() {
        #expect(Limits().isEmpty)
        #expect(!Limits(requests: .init(month: 0)).isEmpty)
    }
}
