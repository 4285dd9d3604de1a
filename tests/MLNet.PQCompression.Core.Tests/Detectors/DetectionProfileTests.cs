using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Tests.Detectors;

/// <summary>What each family's outputs mean, on outputs small enough to work out by hand.</summary>
public sealed class DetectionProfileTests
{
    private static DetectionProfile Profile(string name) => DetectionProfile.All.Single(p => p.Name == name);

    private static Activation Values(TensorShape shape, params float[] values) => new(shape, values);

    private static Dictionary<string, Activation> Outputs(params (string Name, Activation Value)[] outputs) => outputs.ToDictionary(o => o.Name, o => o.Value);

    [Fact]
    public void TorchvisionListsBoxesInPixels()
    {
        // Labels come last and have no telling name: their type shows them.
        Dictionary<string, Activation> outputs = Outputs(
            ("12", Values(new(2, 4), 1, 2, 11, 22, 0, 0, 5, 5)), ("13", Values(new(2), 0.9f, 0.2f)), ("14", new Integers(new(2), [3, 7])), ("15", Values(new(2, 1, 1, 2), 0.9f, 0.1f, 0.2f, 0.8f)));
        Candidate found = Assert.Single(Profile("torchvision").Read(outputs, 32, 32, 0.5f));
        Assert.Equal((3, 0.9f, new DetectionBox(1, 2, 11, 22)), (found.Label, found.Score, found.Box));
        // A mask that is not of the input's size lies over its box.
        Assert.Equal((1, 2, found.Box), (found.Mask!.Height, found.Mask.Width, found.Mask.Covers));
        Assert.Equal([0.9f, 0.1f], found.Mask.Values.ToArray());
    }

    [Fact]
    public void TorchvisionMasksOfTheInputsSizeLieOverAllOfIt()
    {
        Dictionary<string, Activation> outputs = Outputs(
            ("boxes", Values(new(1, 4), 0, 0, 1, 1)), ("labels", new Integers(new(1), [1])), ("scores", Values(new(1), 1)), ("masks", Values(new(1, 1, 2, 2), 1, 0, 0, 0)));
        Assert.Equal(new(0, 0, 2, 2), Profile("torchvision").Read(outputs, 2, 2, 0)[0].Mask!.Covers);
    }

    [Fact]
    public void NothingFoundIsAnEmptyList()
    {
        Dictionary<string, Activation> outputs = Outputs(
            ("boxes", Values(new(0, 4))), ("labels", new Integers(new(0), [])), ("scores", Values(new(0))), ("masks", Values(new(0, 1, 8, 8))));
        Assert.Empty(Profile("torchvision").Read(outputs, 8, 8, 0));
    }

    [Fact]
    public void SsdBoxesAreShares()
    {
        Dictionary<string, Activation> outputs = Outputs(
            ("bboxes", Values(new(1, 2, 4), 0.25f, 0.5f, 0.5f, 1, 0, 0, 1, 1)), ("labels", new Integers(new(1, 2), [5, 6])), ("scores", Values(new(1, 2), 0.75f, 0.01f)));
        Candidate found = Assert.Single(Profile("ssd").Read(outputs, height: 100, width: 200, 0.05f));
        Assert.Equal((5, 0.75f, new DetectionBox(50, 50, 100, 100)), (found.Label, found.Score, found.Box));
    }

    [Fact]
    public void SsdBoxesInPixelsAreRefused()
    {
        Dictionary<string, Activation> outputs = Outputs(
            ("boxes", Values(new(1, 1, 4), 10, 10, 90, 80)), ("labels", new Integers(new(1, 1), [5])), ("scores", Values(new(1, 1), 1)));
        Assert.Contains("from 0 to 1", Assert.Throws<InvalidModelException>(() => Profile("ssd").Read(outputs, 100, 100, 0)).Message);
    }

    /// <summary>An input of 32×64 has grids of 4×8, 2×4 and 1×2: 42 cells.</summary>
    [Fact]
    public void YoloxBoxesAreRelativeToTheirCells()
    {
        var values = new float[42 * 7];
        // Row 1, column 3 of the first grid: the centre a quarter of a cell right of the corner, two cells wide, one high.
        Row(values, (1 * 8) + 3, 0.25f, 0.5f, MathF.Log(2), 0, 0.8f, 0.5f, 0.25f);
        // The last cell: row 0, column 1 of the third grid.
        Row(values, 41, 0, 0, 0, 0, 1, 0, 0.9f);
        IReadOnlyList<Candidate> found = Profile("yolox").Read(Outputs(("output", Values(new(1, 42, 7), values))), 32, 64, 0.3f);
        Assert.Equal((0, 0.4f), (found[0].Label, found[0].Score));
        Assert.Equal((26 - 8, 12 - 4, 26 + 8, 12 + 4), Rounded(found[0].Box));
        Assert.Equal((1, 0.9f), (found[1].Label, found[1].Score));
        Assert.Equal((32 - 16, -16, 32 + 16, 16), Rounded(found[1].Box));
        Assert.Equal(2, found.Count);

        static void Row(float[] values, int cell, params ReadOnlySpan<float> row) => row.CopyTo(values.AsSpan(cell * 7));
        static (double, double, double, double) Rounded(DetectionBox b) => (Math.Round(b.Left, 4), Math.Round(b.Top, 4), Math.Round(b.Right, 4), Math.Round(b.Bottom, 4));
    }

    [Fact]
    public void YoloxSizesThatAreNoLogarithmsAreRefused()
    {
        var values = new float[21 * 6];
        new float[] { 16, 16, 30, 30, 1, 1 }.CopyTo(values, 0);
        Assert.Contains("logarithms", Assert.Throws<InvalidModelException>(() => Profile("yolox").Read(Outputs(("output", Values(new(1, 21, 6), values))), 32, 32, 0.3f)).Message);
    }

    [Fact]
    public void UltraFaceGivesEveryClassButTheBackground()
    {
        Dictionary<string, Activation> outputs = Outputs(
            ("boxes", Values(new(1, 2, 4), 0, 0, 0.5f, 0.5f, 0.5f, 0.5f, 1, 1)), ("scores", Values(new(1, 2, 3), 0.9f, 0.1f, 0, 0.1f, 0.3f, 0.6f)));
        IReadOnlyList<Candidate> found = Profile("ultraface").Read(outputs, 10, 20, 0.2f);
        Assert.Equal([(0, 0.3f), (1, 0.6f)], found.Select(c => (c.Label, c.Score)));
        Assert.All(found, c => Assert.Equal(new(10, 5, 20, 10), c.Box));
    }

    [Theory]
    [InlineData("torchvision", "boxes:?,4 labels:? scores:? masks:?,1,?,?")]
    [InlineData("torchvision", "a:?,4 b:? c:?")]
    [InlineData("ssd", "bboxes:1,?,4 labels:1,? scores:1,?")]
    [InlineData("yolox", "output:?,84,7")]
    [InlineData("ultraface", "scores:?,4420,2 boxes:?,4420,4")]
    [InlineData(null, "output:?,83,7")]
    [InlineData(null, "output:?,10")]
    [InlineData(null, "boxes:?,4 labels:?")]
    [InlineData(null, "scores:?,4420,2 boxes:?,4420,5")]
    public void AProfileIsFoundByNamesAndShapes(string? expected, string outputs)
    {
        ModelGraph model = Model(outputs);
        Assert.Equal(expected, DetectionProfile.Find(model)?.Name);
    }

    [Fact]
    public void AWrongProfileIsRefusedByName()
    {
        string message = Assert.Throws<InvalidModelException>(() => Profile("yolox").Require(Model("scores:?,4420,2 boxes:?,4420,4"), 64, 64)).Message;
        Assert.All(["'yolox'", "one output", "scores [?×4420×2]", "torchvision, ssd, yolox, ultraface"], part => Assert.Contains(part, message));
        Assert.Contains("'torchvision'", Assert.Throws<InvalidModelException>(() => Profile("torchvision").Read(Outputs(("y", Values(new(1, 2), 0, 0))), 8, 8, 0)).Message);
    }

    /// <summary>A network of 64×64 pixels with some declared outputs; none is ever run.</summary>
    private static ModelGraph Model(string outputs)
    {
        ValueInfo[] infos = [.. outputs.Split(' ').Select(o => o.Split(':')).Select(o => new ValueInfo(o[0], new([.. o[1].Split(',').Select(d => d == "?" ? -1 : int.Parse(d))])))];
        return new("detector", new("image", new(-1, 3, 64, 64)), [.. infos], [.. infos.Select(i => new Node(i.Name, new Unary(UnaryFunction.Relu), ["image"], i.Name))], new Dictionary<string, Initializer>());
    }

    private sealed class Integers(TensorShape shape, long[] values) : ForeignValue(shape)
    {
        public override long[] ToIntegers() => values;

        public override string[]? ToStrings() => null;

        public override string Describe() => string.Join(' ', values);
    }
}
