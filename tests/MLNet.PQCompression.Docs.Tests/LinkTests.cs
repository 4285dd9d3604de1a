namespace MLNet.PQCompression.Docs.Tests;

/// <summary>Links between pages lead to files and headings that exist.</summary>
public sealed class LinkTests
{
    [Fact]
    public void EveryRelativeLinkLeadsSomewhere()
    {
        string[] broken = [.. from page in Repository.Pages from link in page.Links where IsBroken(page, link) select $"{page}: {link}"];
        Assert.True(broken.Length == 0, string.Join("\n", broken));
    }

    [Fact]
    public void ABrokenLinkWouldBeFound()
    {
        DocumentationPage readme = Repository.Pages.Single(p => p.Path == "README.md");
        Assert.True(IsBroken(readme, "docs/no-such-page.md"));
        Assert.True(IsBroken(readme, "#no-such-heading"));
    }

    private static bool IsBroken(DocumentationPage page, string link)
    {
        if (Uri.TryCreate(link, UriKind.Absolute, out Uri? absolute) && absolute.Scheme is "http" or "https" or "mailto")
            return false;
        string[] parts = link.Split('#', 2);
        string target = parts[0].Length == 0 ? page.Path : Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(page.Path)!, parts[0]))).Replace('\\', '/');
        string full = Path.Combine(Repository.Root, target);
        if (!File.Exists(full) && !Directory.Exists(full))
            return true;
        return parts.Length == 2 && target.EndsWith(".md", StringComparison.Ordinal) && !new DocumentationPage(target).Anchors.Contains(parts[1], StringComparer.Ordinal);
    }
}
