import Identity
import Testing

struct KeyRightsTests {
    @Test func `a key may use the models that it names and no others`() {
        let models = AllowedModels(["openai/gpt-4o", "sandbox/echo", ""])
        for model in ["openai/gpt-4o", "sandbox/echo", ""] { #expect(models.contains(model)) }
        for model in [
            "openai/gpt-4", "openai/gpt-4o-mini", "gpt-4o", "openai/gpt-4o\0sandbox/echo", "SANDBOX/ECHO",
        ] {
            #expect(!models.contains(model), "\(model)")
        }
        #expect(!AllowedModels([]).contains(""))
        #expect(AllowedModels(["b", "a", "b"]) == ["a", "b"])
    }

    @Test func `scopes keep their names, and one that means nothing allows nothing`() {
        let scopes = KeyScopes(names: ["admin", "read", "everything"])
        #expect(scopes == [.admin, .read])
        #expect(scopes.names == ["admin", "read"])
    }
}
