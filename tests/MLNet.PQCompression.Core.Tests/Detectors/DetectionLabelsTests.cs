using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Detectors;

public sealed class DetectionLabelsTests
{
    private static readonly SortedDictionary<long, string> Gaps = new() { [1] = "person", [3] = "car", [4] = "dog" };

    private static DetectionProfile Profile(string name) => DetectionProfile.All.Single(p => p.Name == name);

    [Theory]
    [InlineData("yolox", 0)]
    [InlineData("ssd", 1)]
    [InlineData("torchvision", 1)]
    public void NamesBeginWhereLabelsBegin(string profile, int first)
    {
        Assert.Equal("cat", DetectionLabels.Of(Profile(profile), ["cat", "dog"], null)[first]);
        Assert.Equal("dog", DetectionLabels.Of(Profile(profile), ["__background__", "cat", "dog"], 2)[first + 1]);
        Assert.Equal("9", DetectionLabels.Of(Profile(profile), ["cat", "dog"], null)[9]);
        Assert.Contains("2 names", Assert.Throws<InvalidModelException>(() => DetectionLabels.Of(Profile(profile), ["cat", "dog"], 3)).Message);
    }

    [Fact]
    public void CategoriesAreCountedOrTakenByTheirNumbers()
    {
        Assert.Equal([(0, 1), (1, 3), (2, 4)], Pairs("yolox", 3));
        Assert.Equal([(1, 1), (2, 3), (3, 4)], Pairs("ssd", null));
        Assert.Equal([(1, 1), (3, 3), (4, 4)], Pairs("torchvision", null));
        Assert.All(["80 classes", "3 categories"], part => Assert.Contains(part, Assert.Throws<InvalidModelException>(() => Pairs("yolox", 80)).Message));
    }

    [Fact]
    public void NamesDecideWhereTheyAreKnown()
    {
        DetectionLabels labels = DetectionLabels.Of(Profile("yolox"), ["dog", "kite", "Person"], 3);
        Assert.Equal([(0, 4), (2, 1)], labels.Categories(Profile("yolox"), Gaps, 3).Select(c => (c.Key, (int)c.Value)).Order());
        DetectionLabels strange = DetectionLabels.Of(Profile("yolox"), ["x", "y"], 2);
        Assert.Contains("x, y", Assert.Throws<InvalidModelException>(() => strange.Categories(Profile("yolox"), Gaps, 2)).Message);
    }

    [Fact]
    public void CategoriesBecomeAListOfNames()
    {
        Assert.Equal(["person", "car", "dog"], DetectionLabels.NamesOf(Profile("yolox"), Gaps));
        IReadOnlyList<string> numbered = DetectionLabels.NamesOf(Profile("torchvision"), Gaps);
        Assert.Equal(["background", "person", "N/A", "car", "dog"], numbered);
        Assert.Equal("car", DetectionLabels.Of(Profile("torchvision"), numbered, null)[3]);
    }

    private static IEnumerable<(int, int)> Pairs(string profile, int? classes) =>
        DetectionLabels.Unknown.Categories(Profile(profile), Gaps, classes).Select(c => (c.Key, (int)c.Value)).Order();
}
