using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Quantization;

/// <summary>The rows of inputs that a layer's statistics are made of, times the rows of its weight, are its outputs.</summary>
public sealed class LayerActivationsTests
{
    public static TheoryData<Window, int, int> Windows => new()
    {
        { Window.Square(2, 2), 0, 0 },
        { Window.Square(3, 2, 1), 1, 1 },
        { Window.Square(4, 2, 1), 0, 0 },
        { Window.Square(3, 1, 0, dilation: 2), 0, 0 },
        { new Window(3, 2, 3, 2, 0, 1, 2, 0), 2, 1 },
    };

    [Theory]
    [MemberData(nameof(Windows))]
    public void Of_a_transposed_convolution(Window window, int extraHeight, int extraWidth)
    {
        var op = new ConvTranspose(window, 1, extraHeight, extraWidth);
        Check(op, new(2, 3, 4, 5), new(3, 6, window.KernelHeight, window.KernelWidth));
    }

    [Theory]
    [InlineData(2, 5, 3)]
    [InlineData(4, 3)]
    [InlineData(2, 3, 4, 3)]
    public void Of_a_product_of_stacks(params int[] input) => Check(new MatMul(), new(input), new(3, 6));

    private static void Check(Operator op, TensorShape inputShape, TensorShape weightShape)
    {
        var random = new Random(1);
        float[] Numbers(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => random.NextSingle() - 0.5f)];
        Activation x = new(inputShape, Numbers(inputShape.Count));
        var weight = new DenseTensor(weightShape, Numbers(weightShape.Count));
        var graph = new ModelGraph("one", new("x", inputShape.With(0, -1)), [new("y", default)], [new("layer", op, ["x", "w"], "y")], new Dictionary<string, Initializer> { ["w"] = weight });
        using var evaluator = new NodeEvaluator(graph);
        Activation y = evaluator.Evaluate(graph.Nodes, _ => x, _ => true)["y"];

        LayerGeometry geometry = LayerActivations.GeometryOf(op, weightShape);
        var sampler = new PatchSampler(geometry, LayerActivations.Input(op, x), int.MaxValue, 0);
        (int n, int rows, int count) = (geometry.RowLength, geometry.Rows, sampler.Count);
        Assert.Equal(count, LayerActivations.RowsOf(op, inputShape, geometry));
        (float[] inputs, float[] outputs) = (new float[count * n], new float[count * rows]);
        sampler.GatherInputs(0, inputs, null);
        sampler.GatherOutputs(LayerActivations.Output(op, y), 0, outputs, null);
        ReadOnlySpan<float> w = LayerGeometry.RowsOf(op, weight);
        Assert.Equal(y.Span.Length, outputs.Length);
        for (int i = 0; i < count; i++)
            for (int o = 0; o < rows; o++)
            {
                double sum = 0;
                for (int j = 0; j < n; j++)
                    sum += (double)w[o * n + j] * inputs[i * n + j];
                Assert.Equal(sum, outputs[i * rows + o], 1e-5);
            }
    }
}
