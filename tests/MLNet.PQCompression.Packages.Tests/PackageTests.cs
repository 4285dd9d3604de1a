using System.Text.RegularExpressions;

namespace MLNet.PQCompression.Packages.Tests;

public sealed partial class PackageTests(PackageFeed feed) : IClassFixture<PackageFeed>
{
    [Fact]
    public void Every_project_in_src_is_a_package_that_says_what_it_is()
    {
        Assert.Equal(
            Directory.GetDirectories(Repository.File("src")).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal),
            feed.Packages.Select(p => p.Id).Order(StringComparer.Ordinal));
        Assert.All(feed.Packages, package =>
        {
            Assert.Equal(feed.Version, package.Version);
            Assert.Equal("MIT", package.Value("license"));
            Assert.Equal("README.md", package.Value("readme"));
            Assert.Contains(package.Value("icon"), package.Entries);
            Assert.NotEmpty(package.Value("tags")!);
            Assert.True(package.Value("description")!.Length > 40);
            Assert.True(package.SymbolsExist);
            if (Path.Exists(Repository.File(".git")))
                Assert.Matches("^[0-9a-f]{40}$", package.Metadata.Elements().Single(e => e.Name.LocalName == "repository").Attribute("commit")?.Value);
        });
    }

    [Fact]
    public void A_package_page_has_no_link_that_holds_only_in_the_repository() =>
        Assert.All(feed.Packages, package => Assert.All(Link().Matches(package.Readme), link => Assert.StartsWith("https://", link.Groups[1].Value, StringComparison.Ordinal)));

    [Theory]
    [InlineData(0, "MLNet.PQCompression.Images")]
    [InlineData(1, "MLNet.PQCompression")]
    public void The_examples_of_the_README_compile_and_run_as_they_stand(int example, string package)
    {
        string folder = Inputs.Prepare(feed.Folder(Guid.NewGuid().ToString("N")));
        File.WriteAllText(Path.Combine(folder, "Program.cs"), Examples(File.ReadAllText(Repository.File("README.md")))[example]);
        File.WriteAllText(Path.Combine(folder, "Example.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="{package}" Version="{feed.Version}" />
              </ItemGroup>
            </Project>
            """);
        string output = Dotnet.Run(folder, feed.Environment, "run", "--configuration", "Release");
        Assert.Contains(Inputs.ClassOfTheCat, output, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(folder), f => Path.GetFileName(f) is "model.pq.onnx" or "model.zip");
    }

    [Fact]
    public void Package_pages_show_examples_of_the_README()
    {
        string[] known = Examples(File.ReadAllText(Repository.File("README.md")));
        string[] shown = [.. feed.Packages.SelectMany(p => Examples(p.Readme))];
        Assert.NotEmpty(shown);
        Assert.Empty(shown.Except(known));
    }

    [Fact]
    public void The_tool_installs_and_runs()
    {
        string folder = Inputs.Prepare(feed.Folder("tool-inputs")), tools = feed.Folder("tools");
        Dotnet.Run(folder, feed.Environment, "tool", "install", "MLNet.PQCompression.Cli", "--version", feed.Version, "--tool-path", tools);
        string tool = Path.Combine(tools, OperatingSystem.IsWindows() ? "mlnet-pq.exe" : "mlnet-pq");
        Assert.Contains("times smaller", Dotnet.Run(tool, folder, feed.Environment, "inspect", "model.onnx"), StringComparison.Ordinal);
        Assert.Contains(Inputs.ClassOfTheCat, Dotnet.Run(tool, folder, feed.Environment, "predict", "model.onnx", "cat.jpg", "--top", "1"), StringComparison.Ordinal);
    }

    private static string[] Examples(string page) => [.. Example().Matches(page.ReplaceLineEndings("\n")).Select(m => m.Groups[1].Value)];

    [GeneratedRegex(@"\]\(([^)]*)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
