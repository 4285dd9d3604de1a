using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MLNet.PQCompression.Docs.Tests;

/// <summary>
/// The C# of README and user pages compiles as it stands: each block is a program of its own, with the usings that it shows and those that a new project has.
/// A block that goes on from the one before says so in its first line: "// …".
/// </summary>
public sealed class CodeTests
{
    private const string ImplicitUsings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";

    internal static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(f => f.EndsWith(".dll", StringComparison.Ordinal)).Select(f => MetadataReference.CreateFromFile(f)),
    ];

    [Fact]
    public void EveryExampleCompiles()
    {
        var problems = new List<string>();
        foreach (DocumentationPage page in Repository.UserPages.Append(Repository.Pages.Single(p => p.Path == "README.md")))
        {
            string before = "";
            foreach (string code in page.Code("csharp"))
            {
                string program = code.StartsWith("// …", StringComparison.Ordinal) ? before + code : code;
                problems.AddRange(Errors(program).Select(e => $"{page}: {e}"));
                before = program + "\n";
            }
        }
        Assert.True(problems.Count == 0, string.Join("\n", problems));
    }

    [Fact]
    public void AnErrorWouldBeFound() => Assert.NotEmpty(Errors("int x = NoSuchName;"));

    private static IEnumerable<string> Errors(string program)
    {
        var parse = new CSharpParseOptions(LanguageVersion.Preview);
        SyntaxTree[] trees = [CSharpSyntaxTree.ParseText(ImplicitUsings, parse), CSharpSyntaxTree.ParseText(program, parse)];
        CSharpCompilation compilation = CSharpCompilation.Create("example", trees, References, new(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        return compilation.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error)
            .Select(d => $"{d.GetMessage()} in line {d.Location.GetLineSpan().StartLinePosition.Line + 1}: {d.Location.SourceTree?.GetText().Lines[d.Location.GetLineSpan().StartLinePosition.Line]}");
    }
}
