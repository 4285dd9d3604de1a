using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <content>Layers with weights, and what is fused into them.</content>
internal sealed partial class PlanBuilder<TTile, TVector>
{
    /// <summary>Input channels below which a layer reads plain planes instead of blocks that would be mostly zeros.</summary>
    private const int FewChannels = 8;

    private bool TryAdd(Node node, Conv conv)
    {
        TensorShape input = ShapeOf(node.Inputs[0]);
        if (!CanBlock(node.Inputs[0]) || _graph.FindInitializer(node.Inputs[1]) is not { } weight || HasVariableBias(node))
            return false;
        bool depthwise = conv.Group == input[1] && weight.Shape[0] == input[1] && conv.Group > 1;
        bool planes = conv.Group == 1 && input[1] < FewChannels && Find(node.Inputs[0], ValueLayout.Blocked) is null;
        int stride = conv.Window.StrideX * (planes ? 1 : PlanValue.Block);
        bool grouped = conv.Group != 1 && !depthwise;
        if (!depthwise && !grouped && !PixelTiles<TTile>.Supports(stride) || grouped && !GroupedConvolutionStep<TVector>.Applies(conv, weight.Shape))
            return false;
        PlanValue x = Require(node.Inputs[0], planes ? ValueLayout.Planes : ValueLayout.Blocked);
        Window w = conv.Window;
        x.NeedBorder(Math.Max(Math.Max(w.PadTop, w.PadBottom), Math.Max(w.PadLeft, w.PadRight)));
        Fusion fusion = Fuse(node, weight.Shape[0], 1, 1, out string last);
        PlanValue y = Make(last, ValueLayout.Blocked);
        bool onePixel = !planes && conv.Group == 1 && input[2] * input[3] == 1 && conv.Window == Window.Square(1);
        var layer = new ConvolutionNode(node.Name, w, conv.Group, weight.Shape, y.Height * y.Width);
        _recipes.Add(() =>
        {
            if (depthwise)
                return new DepthwiseStep<TVector>(layer, weight, x, y, fusion);
            if (grouped)
                return new GroupedConvolutionStep<TVector>(layer, weight, _weights, x, y, fusion);
            if (onePixel && y.IsFlat && fusion.Residual is null or { IsFlat: true }) // The images of a batch must lie equally far apart, and no border be left to clear.
                return new LinearStep<TTile>(node.Name, WeightPanels.Create(node.Name, weight, x.Planes * PlanValue.Block, flat => flat, _weights), layer.Operations, x, y, fusion);
            var order = new ReadingOrder(x, input[1], w);
            WeightPanels panels = WeightPanels.Create(node.Name, weight, order.Rows, order.RowOf, _weights);
            var direct = new DirectConvolutionStep<TTile>(layer, panels, order, x, y, fusion);
            return panels is CodedPanels coded ? Choose(direct, layer, coded, x, y, fusion) : direct;
        });
        return true;
    }

    /// <summary>The ways to compute a compressed layer, or the one that is asked for.</summary>
    private Step Choose(Step direct, ConvolutionNode layer, CodedPanels weights, PlanValue x, PlanValue y, Fusion fusion)
    {
        var ways = new List<Way> { new(ConvolutionAlgorithm.Direct, direct) };
        if (weights.CanTransform && x.Layout == ValueLayout.Blocked && layer.Window == Window.Square(3, 1, 1))
        {
            ways.Add(new(ConvolutionAlgorithm.Winograd2, new WinogradStep<Winograd2, TVector>(layer, weights, x, y, fusion)));
            ways.Add(new(ConvolutionAlgorithm.Winograd4, new WinogradStep<Winograd4, TVector>(layer, weights, x, y, fusion)));
            if (TVector.Count == 16)
                ways.Add(new(ConvolutionAlgorithm.FilterWinograd, new FilterWinogradStep<Winograd4>(layer, weights, x, y, fusion)));
        }
        if (weights.CanTransform && x.Layout == ValueLayout.Blocked && layer.Window == Window.Square(3, 2, 1) && TVector.Count == 16)
            ways.Add(new(ConvolutionAlgorithm.FilterWinograd, new FilterWinogradStep<StridedWinograd4>(layer, weights, x, y, fusion)));
        if (ProductTableStep<Float256>.Applies(layer, weights, x) && (TTile.Pixels == TileOperands.MaxPixels || _algorithm == ConvolutionAlgorithm.ProductTable))
            ways.Add(new(ConvolutionAlgorithm.ProductTable, TVector.Count == 4
                ? new ProductTableStep<Float128>(layer, weights, x, y, fusion)
                : TVector.Count == 16 ? new ProductTableStep<Float512>(layer, weights, x, y, fusion)
                : new ProductTableStep<Float256>(layer, weights, x, y, fusion)));
        if (ways.Count == 1)
            return direct;
        if (_algorithm == ConvolutionAlgorithm.Fastest)
            return new ChoiceStep([.. ways.ConvertAll(way => way.Step)]);
        return (ways.Find(way => way.Algorithm == _algorithm) ?? ways[0]).Step;
    }

    private sealed record Way(ConvolutionAlgorithm Algorithm, Step Step);

    private bool TryAddLinear(Node node)
    {
        Gemm gemm = node.Operator as Gemm ?? new Gemm();
        string input = node.Inputs[0];
        if (gemm.TransposeA || !CanBlock(input) || ShapeOf(input).Rank != 2 || HasVariableBias(node)
            || _graph.FindInitializer(node.Inputs[1]) is not { } weight)
            return false;
        if (!gemm.TransposeB)
            weight = Transposed(weight);
        PlanValue x = Require(input, ValueLayout.Blocked);
        Fusion fusion = Fuse(node, weight.Shape[0], gemm.Alpha, gemm.Beta, out string last);
        PlanValue y = Make(last, ValueLayout.Blocked);
        _recipes.Add(() => new LinearStep<TTile>(
            node.Name, WeightPanels.Create(node.Name, weight, x.Planes * PlanValue.Block, flat => flat, _weights), 2 * weight.Shape.Count, x, y, fusion));
        return true;
    }

    private bool HasVariableBias(Node node) =>
        node.Inputs.Length == 3 && !(_graph.FindInitializer(node.Inputs[2]) is { } bias && IsPerChannel(bias.Shape, ShapeOf(node.Output)[1]));

    private static bool IsPerChannel(TensorShape shape, int channels) =>
        shape.Count == 1 || shape.Count == channels && shape[shape.Rank - 1] == channels;

    /// <summary>The rows of a weight whose outputs lie in dimension 1: codes where they were cut from those rows, else numbers.</summary>
    private static Initializer Transposed(Initializer weight) => weight is QuantizedTensor { IsTransposed: true } quantized
        ? quantized.Transpose()
        : new DenseTensor(Initializer.Exchanged(weight.Shape), Initializer.Exchange(weight.Values, weight.Shape));

    /// <summary>Takes up what follows a layer: BatchNormalization, the addition of a value already made, and a clamp, in this order.</summary>
    private Fusion Fuse(Node node, int channels, float alpha, float beta, out string last)
    {
        Fusion fusion = Fusion.Scaled(channels, alpha);
        if (node.Inputs.Length == 3)
        {
            ReadOnlySpan<float> bias = _graph.FindInitializer(node.Inputs[2])!.Values;
            for (int c = 0; c < channels; c++)
                fusion.Bias[c] = beta * bias[bias.Length == 1 ? 0 : c];
        }
        last = node.Output;
        bool clamped = false;
        while (!clamped && OnlyReader(last) is { } next)
        {
            switch (next.Operator)
            {
                case BatchNormalization normalization when fusion.Residual is null && next.Inputs[0] == last:
                    (float[] scale, float[] bias) = Fold(next, normalization);
                    for (int c = 0; c < channels; c++)
                        (fusion.Scale[c], fusion.Bias[c]) = (fusion.Scale[c] * scale[c], fusion.Bias[c] * scale[c] + bias[c]);
                    break;
                case Binary { Function: BinaryFunction.Add } when fusion.Residual is null && ResidualOf(next, last) is { } residual:
                    fusion = fusion with { Residual = Require(residual, ValueLayout.Blocked) };
                    break;
                case Unary { Function: UnaryFunction.Relu }:
                    fusion = fusion with { Low = 0 };
                    clamped = true;
                    break;
                case Clip clip when clip.Minimum <= clip.Maximum:
                    fusion = fusion with { Low = clip.Minimum, High = clip.Maximum };
                    clamped = true;
                    break;
                case PointwiseOperator function when PlaneFunction.InRegisters(function) is { } then:
                    fusion = fusion with { Function = then };
                    clamped = true;
                    break;
                default:
                    return fusion;
            }
            _fused.Add(next.Name);
            last = next.Output;
        }
        return fusion;
    }

    /// <summary>The function that follows a node and can be computed with it, or null.</summary>
    private Operator? FunctionAfter(Node node, out string last)
    {
        last = node.Output;
        if (OnlyReader(last) is not { Operator: PointwiseOperator } next)
            return null;
        _fused.Add(next.Name);
        last = next.Output;
        return next.Operator;
    }

    /// <summary>The one node that reads a value, or null where there are several or the value is an output of the model.</summary>
    private Node? OnlyReader(string value) =>
        IsOutput(value) || !_readers.TryGetValue(value, out List<Node>? readers) || readers.Count != 1 ? null : readers[0];

    private bool IsOutput(string value)
    {
        foreach (ValueInfo output in _outputs)
            if (output.Name == value)
                return true;
        return false;
    }

    /// <summary>The other operand of an addition where it has the same shape and is already made.</summary>
    private string? ResidualOf(Node addition, string value)
    {
        string other = addition.Inputs[0] == value ? addition.Inputs[1] : addition.Inputs[0];
        return other != value && CanBlock(other) && ShapeOf(other) == ShapeOf(value) && (other == _graph.Input.Name || FindAny(other) is not null) ? other : null;
    }
}
