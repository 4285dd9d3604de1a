using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Tests.Detectors;

public sealed class RunLengthMaskTests
{
    [Fact]
    public void RunsGoDownTheColumns()
    {
        // 0 1 1
        // 0 1 0
        RunLengthMask mask = RunLengthMask.Above([0, 1, 1, 0, 1, 0], 2, 3, 0.5f);
        Assert.Equal([2, 3, 1], mask.Counts.AsSpan());
        Assert.Equal(3, mask.Area);
    }

    [Fact]
    public void IntersectionEqualsCountingPixels()
    {
        var random = new Random(5);
        for (int trial = 0; trial < 200; trial++)
        {
            (int height, int width) = (random.Next(1, 9), random.Next(1, 9));
            float[] a = [.. Enumerable.Range(0, height * width).Select(_ => random.NextSingle())], b = [.. a.Select(_ => random.NextSingle())];
            float threshold = random.NextSingle();
            long expected = a.Zip(b).Count(pair => pair.First > threshold && pair.Second > threshold);
            Assert.Equal(expected, RunLengthMask.Above(a, height, width, threshold).Intersection(RunLengthMask.Above(b, height, width, threshold)));
        }
    }

    [Fact]
    public void APolygonCoversThePixelsWhoseCentresItHolds()
    {
        RunLengthMask square = RunLengthMask.OfPolygons([[1, 1, 4, 1, 4, 3, 1, 3]], 5, 6);
        Assert.Equal([6, 2, 3, 2, 3, 2, 12], square.Counts.AsSpan());
        Assert.Equal(6, square.Area);
        Assert.Equal(0, RunLengthMask.OfPolygons([[1.6, 1.6, 2.4, 1.6, 2.4, 2.4]], 4, 4).Area);
        Assert.Equal(16, RunLengthMask.OfPolygons([[-9, -9, 20, -9, 20, 20, -9, 20]], 4, 4).Area);
    }

    /// <summary>Runs 6, 1, 40, 4, 5, 4, 5, 4, 21 of a 9×10 mask, written as the published format does.</summary>
    [Fact]
    public void TheCompressedFormIsRead()
    {
        int[] runs = [6, 1, 40, 4, 5, 4, 5, 4, 21];
        RunLengthMask mask = RunLengthMask.FromCompressed(Compress(runs), 9, 10);
        Assert.Equal(runs, mask.Counts);
    }

    [Theory]
    [InlineData("")]
    [InlineData("~~~~~~~~~~~~~~~~")]
    [InlineData("o")]
    [InlineData("61\u00e9")]
    public void OtherTextIsRefused(string text) => Assert.Throws<ArgumentException>(() => RunLengthMask.FromCompressed(text, 9, 10));

    [Fact]
    public void RunsThatDoNotAddUpAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new RunLengthMask(2, 2, [1, 2]));
        Assert.Throws<ArgumentException>(() => new RunLengthMask(2, 2, [5, -1]));
        Assert.Throws<ArgumentException>(() => new RunLengthMask(1 << 16, 1 << 16, [int.MaxValue, int.MaxValue]));
    }

    /// <summary>The writer's side of the format, by its description: differences from the third run on, five bits a character, the lowest first.</summary>
    private static string Compress(int[] runs)
    {
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < runs.Length; i++)
        {
            long x = i > 2 ? runs[i] - runs[i - 2] : runs[i];
            bool more;
            do
            {
                int group = (int)(x & 31);
                x >>= 5;
                more = (group & 16) != 0 ? x != -1 : x != 0;
                text.Append((char)(48 + (more ? group | 32 : group)));
            }
            while (more);
        }
        return text.ToString();
    }
}
