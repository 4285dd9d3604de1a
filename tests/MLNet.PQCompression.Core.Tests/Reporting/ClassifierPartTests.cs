using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Tests.Reporting;

public sealed class ClassifierPartTests
{
    private static readonly Node Scores = new("scores", new Softmax(1), ["x"], "p"), Boxes = new("boxes", new Unary(UnaryFunction.Tanh), ["x"], "b");

    private static ModelGraph Graph(TensorShape scores, TensorShape? boxes = null) => new(
        "m", new("x", new(-1, 10, 1, 1)), boxes is null ? [new("p", scores)] : [new("p", scores), new("b", boxes.Value)], boxes is null ? [Scores] : [Scores, Boxes], new Dictionary<string, Initializer>());

    [Fact]
    public void OneRowOfNumbersIsClasses()
    {
        Assert.NotNull(ClassifierPart.Find(Graph(new(-1, 10))));
        Assert.NotNull(ClassifierPart.Find(Graph(new(-1, 10, 1, 1))));
        Assert.NotNull(ClassifierPart.Find(Graph(default)));
    }

    [Fact]
    public void ScoresOfBoxesAndMapsOfClassesAreNoClasses()
    {
        Assert.Null(ClassifierPart.Find(Graph(new(1, 4420, 2), new(1, 4420, 4))));
        Assert.Null(ClassifierPart.Find(Graph(new(-1, 21, 64, 64))));
        Assert.Null(ClassifierPart.Find(Graph(new(-1, 21, -1, -1))));
    }

    [Fact]
    public void ScoresBesideOtherOutputsAreFound()
    {
        ModelGraph part = ClassifierPart.Find(Graph(new(-1, 10), new(-1, 512)))!;
        Assert.Equal("p", part.OutputName);
        Assert.Equal(["scores"], part.Nodes.Select(n => n.Name));
    }
}
