import Base
import Cache
import JSON
import Testing

struct CachePolicyTests {
    private func policy(_ text: String) throws -> CachePolicy {
        try CachePolicy(json: JSONDocument(parsing: Array(text.utf8)).root)
    }

    private func faults(_ text: String) throws -> [String] {
        do {
            _ = try policy(text)
            return []
        } catch let problem as Problem { return problem.faults.map(\.field) }
    }

    @Test func `what is not said is as it is without`() throws {
        #expect(try policy("{}") == CachePolicy())
        let nothing = #"{"enabled":null,"ttl_seconds":null,"semantic":{"model":null}}"#
        #expect(try policy(nothing) == CachePolicy())
        let usual = CachePolicy()
        #expect(usual.isEnabled && usual.lifetimeSeconds == 3600 && usual.largestEntryBytes == 1_048_576)
        #expect(usual.cachesNonzeroTemperature && usual.coalesces && !usual.semantic.isEnabled)
        #expect(usual.semantic.thresholdThousandths == 950 && usual.semantic.turns == 4)
        #expect(usual.semantic.embeddingModel == nil)
    }

    @Test func `a policy is read as it is written`() throws {
        let text = """
            {"semantic": {"turns": 50, "enabled": true, "model": "openai/text-embedding-3-small",
                "threshold": 0.5},
             "enabled": false, "ttl_seconds": 2592000, "largest_entry_bytes": 16777216,
             "cache_nonzero_temperature": false, "coalesce": false}
            """
        let read = try policy(text)
        #expect(!read.isEnabled && read.lifetimeSeconds == 2_592_000 && read.largestEntryBytes == 16 << 20)
        #expect(!read.cachesNonzeroTemperature && !read.coalesces && read.semantic.isEnabled)
        #expect(read.semantic.thresholdThousandths == 500 && read.semantic.turns == 50)
        #expect(read.semantic.embeddingModel == "openai/text-embedding-3-small")
    }

    @Test(arguments: [
        (#"{"enabled":"yes"}"#, "enabled"), (#"{"coalesce":1}"#, "coalesce"),
        (#"{"cache_nonzero_temperature":0}"#, "cache_nonzero_temperature"),
        (#"{"ttl_seconds":0}"#, "ttl_seconds"),
        (#"{"ttl_seconds":2592001}"#, "ttl_seconds"),
        (#"{"ttl_seconds":1.5}"#, "ttl_seconds"),
        (#"{"ttl_seconds":"60"}"#, "ttl_seconds"),
        (#"{"largest_entry_bytes":0}"#, "largest_entry_bytes"),
        (#"{"largest_entry_bytes":16777217}"#, "largest_entry_bytes"),
        (#"{"semantic":true}"#, "semantic"), (#"{"semantic":{"enabled":null,"on":1}}"#, "semantic.on"),
        (#"{"semantic":{"threshold":0.499}}"#, "semantic.threshold"),
        (#"{"semantic":{"threshold":1.001}}"#, "semantic.threshold"),
        (#"{"semantic":{"turns":0}}"#, "semantic.turns"), (#"{"semantic":{"turns":51}}"#, "semantic.turns"),
        (#"{"semantic":{"model":""}}"#, "semantic.model"),
        (#"{"semantic":{"model":7}}"#, "semantic.model"),
        (#"{"ttl":5}"#, "ttl"), ("[]", ""),
    ])
    func `what is wrong is named`(text: String, field: String) throws {
        #expect(try faults(text) == [field])
    }

    @Test func `all that is wrong is told at once`() throws {
        let text = #"{"enabled":1,"ttl_seconds":-1,"semantic":{"turns":99,"x":1}}"#
        #expect(
            try faults(text) == ["enabled", "ttl_seconds", "semantic.turns", "semantic.x"])
    }
}
