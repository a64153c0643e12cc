import Testing

@testable import Postgres

struct StatementCacheTests {
    private func key(_ text: String) -> StatementCache.Key { StatementCache.Key(text: text, types: []) }

    @Test func `a statement is prepared once and then used`() {
        var cache = StatementCache(limit: 2)
        #expect(cache.plan(key("a"), segment: 1) == .prepare(name: "h1", evicted: []))
        #expect(cache.plan(key("a"), segment: 1) == .use(name: "h1"))
        #expect(cache.plan(key("a"), segment: 2) == .unnamed, "whether it gets prepared is not known yet")
        cache.prepared(key("a"))
        #expect(cache.plan(key("a"), segment: 3) == .use(name: "h1"))
        #expect(
            cache.plan(StatementCache.Key(text: "a", types: [20]), segment: 3)
                == .prepare(name: "h2", evicted: []))
    }

    @Test func `the one used longest ago makes room, and stays owed until the server has let it go`() {
        var cache = StatementCache(limit: 2)
        for text in ["a", "b"] {
            _ = cache.plan(key(text), segment: 1)
            cache.prepared(key(text))
        }
        _ = cache.plan(key("a"), segment: 2)
        #expect(cache.plan(key("c"), segment: 3) == .prepare(name: "h3", evicted: ["h2"]))
        cache.deallocationFailed("h2")
        cache.preparationFailed(key("c"))
        #expect(cache.plan(key("d"), segment: 4) == .prepare(name: "h4", evicted: ["h2"]))
        #expect(cache.plan(key("e"), segment: 4) == .prepare(name: "h5", evicted: ["h1"]))
        #expect(cache.plan(key("f"), segment: 4) == .unnamed, "what is being prepared is not thrown out")
        #expect(cache.count == 2)
    }
}

struct ScriptSplitterTests {
    @Test func `a script is cut between statements and nowhere else`() {
        let script = """
            SELECT ';' ; -- not; here
            /* nor; /* here; */ ; */
            SELECT "a;b", E'it\\'s;', $$ ; $$, $tag$ ; $$ ; $tag$, a$b$c
            ; ;
            SELECT 2
            """
        let statements = ScriptSplitter.statements(of: script)
        #expect(statements.count == 3)
        #expect(statements.map(\.line) == [1, 1, 4])
        #expect(statements.last?.text == "\nSELECT 2")
        #expect(ScriptSplitter.statements(of: " -- nothing\n;;").isEmpty)
        #expect(ScriptSplitter.statements(of: "SELECT 'open").count == 1)
    }
}
