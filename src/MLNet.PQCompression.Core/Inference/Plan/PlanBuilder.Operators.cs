using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;
using MLNet.PQCompression.Inference.Operators;

namespace MLNet.PQCompression.Inference.Plan;

/// <content>Operators that are no layers: functions, sums, pooling, placement, views, and what runs as the evaluator does.</content>
internal sealed partial class PlanBuilder<TTile, TVector>
    where TTile : struct, IPixelTile
    where TVector : struct, IFloatVector<TVector>
{
    private void AddOperator(Node node)
    {
        var operands = node.Inputs.Select(name => (
            Value: _graph.FindInitializer(name) is not null ? null : Require(name, ValueLayout.Flat),
            Constant: _graph.FindInitializer(name) is { } i ? new Activation(i.Shape, i.ToDense().ToArray()) : null,
            Shape: ShapeOf(name))).ToArray();
        PlanValue output = Make(node.Output, ValueLayout.Flat);
        _recipes.Add(() => new OperatorStep(node, operands, output, ShapeOf(node.Output)));
    }

    private bool TryAddNormalization(Node node)
    {
        if (!CanBlock(node.Inputs[0]))
            return false;
        (float[] scale, float[] bias) = Fold(node, (BatchNormalization)node.Operator);
        PlanValue x = Require(node.Inputs[0], ValueLayout.Blocked);
        Operator? function = FunctionAfter(node, out string last);
        PlanValue y = Make(last, ValueLayout.Blocked);
        _recipes.Add(() => new PointwiseStep(node.Name, x, y, scale, bias, function));
        return true;
    }

    private bool TryAddFunction(Node node)
    {
        if (!CanBlock(node.Inputs[0]))
            return false;
        PlanValue x = Require(node.Inputs[0], ValueLayout.Blocked), y = Make(node.Output, ValueLayout.Blocked);
        _recipes.Add(() => new PointwiseStep(node.Name, x, y, null, null, node.Operator));
        return true;
    }

    private bool TryAdd(Node node, Binary binary)
    {
        if (!CombineStep.Supports(binary.Function) || !IsBlockedShape(ShapeOf(node.Output))
            || IsOperand(node, 0) is not { } first || IsOperand(node, 1) is not { } second || first is CombineSide.Constant && second is CombineSide.Constant)
            return false;
        CombineOperand a = Operand(node, 0, first), b = Operand(node, 1, second);
        Operator? function = FunctionAfter(node, out string last);
        PlanValue y = Make(last, ValueLayout.Blocked);
        _recipes.Add(() => new CombineStep(node.Name, binary.Function, a, b, y, function is null ? null : PlaneFunction.Of(function)));
        return true;
    }

    private enum CombineSide
    {
        Value,
        Constant,
    }

    private static bool IsBlockedShape(TensorShape shape) => shape is { Rank: 4 or 2 } && shape[0] == 1;

    /// <summary>What an operand is to the blocked kernel, or null: a value of the output's channels and its pixels or one, or a constant for each channel.</summary>
    private CombineSide? IsOperand(Node node, int input)
    {
        TensorShape own = ShapeOf(node.Inputs[input]), output = ShapeOf(node.Output);
        if (_graph.FindInitializer(node.Inputs[input]) is null)
            return own.Rank == output.Rank && own[0] == 1 && own[1] == output[1] && (own == output || own.Rank == 4 && own[2] * own[3] == 1) ? CombineSide.Value : null;
        // [1, C, 1, 1], [C, 1, 1], [1, C], [C] or a single number.
        int axis = own.Rank - output.Rank + 1;
        bool perChannel = axis >= 0 && axis < own.Rank && own.Count == own[axis] && own[axis] == output[1];
        return own.Count == 1 || perChannel ? CombineSide.Constant : null;
    }

    private CombineOperand Operand(Node node, int input, CombineSide side)
    {
        if (side == CombineSide.Value)
            return new(Require(node.Inputs[input], ValueLayout.Blocked), null);
        int channels = ShapeOf(node.Output)[1];
        ReadOnlySpan<float> given = _graph.FindInitializer(node.Inputs[input])!.Values;
        var values = new float[(channels + PlanValue.Block - 1) / PlanValue.Block * PlanValue.Block];
        for (int c = 0; c < channels; c++)
            values[c] = given[given.Length == 1 ? 0 : c];
        return new(null, values);
    }

    private bool TryAddPool(Node node)
    {
        if (!CanBlock(node.Inputs[0]) || ShapeOf(node.Inputs[0]).Rank != 4 || node.Operator is Reduce reduce && !(reduce.Function is ReduceFunction.Mean or ReduceFunction.Max && reduce.Axes.Order().SequenceEqual([2, 3])))
            return false;
        PlanValue x = Require(node.Inputs[0], ValueLayout.Blocked), y = Make(node.Output, ValueLayout.Blocked);
        _recipes.Add(node.Operator switch
        {
            MaxPool pool => () => new PoolStep(node.Name, pool, x, y),
            AveragePool pool => () => new PoolStep(node.Name, pool, x, y),
            _ => () => new GlobalPoolStep(node.Name, node.Operator is GlobalMaxPool or Reduce { Function: ReduceFunction.Max }, x, y),
        });
        return true;
    }

    private bool TryAddResize(Node node, Resize resize)
    {
        TensorShape from = ShapeOf(node.Inputs[0]), to = ShapeOf(node.Output);
        if (!CanBlock(node.Inputs[0]) || from.Rank != 4 || to[0] != 1 || from[1] != to[1] || resize.Scale(0, from[0]) != 1 || resize.Scale(1, from[1]) != 1)
            return false;
        // An image of few channels that no step has blocked yet would take several times its size in blocks of 16.
        if (from[1] < PlanValue.Block / 2 && Find(node.Inputs[0], ValueLayout.Blocked) is null && !_maps.ContainsKey(node.Inputs[0]))
            return false;
        PlanValue x = Require(node.Inputs[0], ValueLayout.Blocked), y = Make(node.Output, ValueLayout.Blocked);
        _recipes.Add(() => new ResizeStep(node.Name, resize, x, y));
        return true;
    }

    private bool TryAddPlacement(Node node)
    {
        if (node.Inputs.Any(name => !CanBlock(name) || ShapeOf(name).Rank != 4) || !PlacesWholeImages(node.Operator))
            return false;
        PlanValue[] inputs = [.. node.Inputs.Select(name => Require(name, ValueLayout.Blocked))];
        PlanValue y = Make(node.Output, ValueLayout.Blocked);
        Placement[] placements = [.. Placements(node.Operator, inputs)];
        float fill = node.Operator is Pad pad ? pad.Value : 0;
        _recipes.Add(() => new PlacementStep(node.Name, y, placements, fill));
        return true;
    }

    private static bool PlacesWholeImages(Operator op) => op switch
    {
        Concat concat => concat.Axis == 1,
        Pad pad => pad.Mode == PadMode.Constant && pad.Before[0] == 0 && pad.After[0] == 0,
        Slice slice => slice.Ranges.All(r => r is { Axis: 2 or 3, Step: > 0 } or { Axis: 1, Step: 1 }),
        _ => false,
    };

    private static IEnumerable<Placement> Placements(Operator op, PlanValue[] inputs)
    {
        switch (op)
        {
            case Pad pad:
                yield return new(inputs[0], pad.Before[1], -pad.Before[2], -pad.Before[3]);
                break;
            case Slice slice:
                SliceRange Range(int axis) => slice.Ranges.LastOrDefault(r => r.Axis == axis, new(axis, 0, int.MaxValue));
                int Start(int axis, int size) => ShapeInference.Resolve(Range(axis), size).Start;
                PlanValue x = inputs[0];
                yield return new(x, -Start(1, x.Channels), Start(2, x.Height), Start(3, x.Width), Range(2).Step, Range(3).Step);
                break;
            default:
                int channel = 0;
                foreach (PlanValue input in inputs)
                {
                    yield return new(input, channel);
                    channel += input.Channels;
                }
                break;
        }
    }

    private bool TryAddView(Node node)
    {
        string input = node.Inputs[0];
        if (_graph.FindInitializer(input) is not null)
            return false;
        TensorShape from = ShapeOf(input), to = ShapeOf(node.Output);
        bool samePixels = CanBlock(input) && from.Rank == 4 && from[2] * from[3] == 1 && to is { Rank: 2 } && to[0] == 1 && to[1] == from[1];
        if (samePixels)
        {
            // A copy, because the image may get a border for other readers, and the pixels of a matrix lie one after the other.
            PlanValue image = Require(input, ValueLayout.Blocked), matrix = Make(node.Output, ValueLayout.Blocked);
            _recipes.Add(() => new RelayoutStep(node.Name, image, matrix));
            return true;
        }
        Set(node.Output, ValueLayout.Flat, Require(input, ValueLayout.Flat));
        return true;
    }

    private (float[] Scale, float[] Bias) Fold(Node node, BatchNormalization op)
    {
        return Normalization.Fold(op.Epsilon, Constant(1), Constant(2), Constant(3), Constant(4));

        ReadOnlySpan<float> Constant(int input) => _graph.FindInitializer(node.Inputs[input]) is { } i
            ? i.Values
            : throw new UnsupportedOperatorException(op.OnnxName, node.Name, $"its parameter '{node.Inputs[input]}' must be an initializer");
    }
}
