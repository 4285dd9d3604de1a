using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Finds functions of one value that exporters write as several nodes: SiLU, HardSwish, Mish and Gelu.</summary>
internal sealed class FunctionIdioms(ModelGraph graph, Dictionary<string, List<Node>> readers, Func<string, bool> isOutput)
{
    /// <summary>The function that ends in a node, the value that it reads and the nodes that it stands for; null where there is none.</summary>
    public (Operator Function, string Input, Node[] Nodes)? EndingIn(Node node)
    {
        foreach (int first in (int[])[0, 1])
            if (Product(node, first) is { } found)
                return found;
        return null;
    }

    private (Operator, string, Node[])? Product(Node node, int first)
    {
        if (node.Operator is Binary { Function: BinaryFunction.Div } && first == 0 && Number(node.Inputs[1]) is { } divisor)
            return Scaled(node, 1 / divisor);
        if (node.Operator is not Binary { Function: BinaryFunction.Mul })
            return null;
        if (Number(node.Inputs[1 - first]) is { } factor)
            return Scaled(node, factor, first);
        string x = node.Inputs[first];
        if (Inner(node.Inputs[1 - first]) is not { } gate)
            return null;
        switch (gate.Operator)
        {
            case Unary { Function: UnaryFunction.Sigmoid } when gate.Inputs[0] == x:
                return (new Silu(), x, [gate, node]);
            case HardSigmoid { Beta: 0.5f } hard when gate.Inputs[0] == x && IsNear(hard.Alpha, 1f / 6):
                return (new Unary(UnaryFunction.HardSwish), x, [gate, node]);
            case Unary { Function: UnaryFunction.Tanh } when Inner(gate.Inputs[0]) is { Operator: Unary { Function: UnaryFunction.Softplus } } plus && plus.Inputs[0] == x:
                return (new Unary(UnaryFunction.Mish), x, [plus, gate, node]);
            case Binary { Function: BinaryFunction.Div or BinaryFunction.Mul } when IsSixth(gate) && Inner(gate.Inputs[0]) is { } clip && Shifted(clip, x) is { } shift:
                return (new Unary(UnaryFunction.HardSwish), x, [shift, clip, gate, node]);
            default:
                return null;
        }
    }

    /// <summary>A product of a value and its gate that is scaled afterwards: HardSwish of some exporters, and Gelu.</summary>
    private (Operator, string, Node[])? Scaled(Node node, float factor, int first = 0)
    {
        if (Inner(node.Inputs[first]) is not { Operator: Binary { Function: BinaryFunction.Mul } } product)
            return null;
        foreach (int i in (int[])[0, 1])
        {
            string x = product.Inputs[i];
            if (Inner(product.Inputs[1 - i]) is not { } gate)
                continue;
            if (IsNear(factor, 1f / 6) && Shifted(gate, x) is { } shift)
                return (new Unary(UnaryFunction.HardSwish), x, [shift, gate, product, node]);
            if (IsNear(factor, 0.5f) && Sum(gate, 1) is { } sum && Inner(sum) is { Operator: Unary { Function: UnaryFunction.Erf } } erf && Inner(erf.Inputs[0]) is { } scaled
                && scaled.Inputs[0] == x && scaled.Operator is Binary { Function: BinaryFunction.Div or BinaryFunction.Mul } scale && Number(scaled.Inputs[1]) is { } root
                && IsNear(scale.Function == BinaryFunction.Div ? root : 1 / root, 1.41421356f))
                return (new Gelu(), x, [scaled, erf, gate, product, node]);
        }
        return null;
    }

    /// <summary>The addition of 3 before a node that clips to 0 … 6.</summary>
    private Node? Shifted(Node clip, string x) =>
        clip.Operator is Clip { Minimum: 0, Maximum: 6 } && Inner(clip.Inputs[0]) is { } add && Sum(add, 3) == x ? add : null;

    /// <summary>What a node adds a number to.</summary>
    private string? Sum(Node node, float number) => node.Operator is not Binary { Function: BinaryFunction.Add } ? null
        : Number(node.Inputs[1]) == number ? node.Inputs[0]
        : Number(node.Inputs[0]) == number ? node.Inputs[1]
        : null;

    private bool IsSixth(Node node) =>
        Number(node.Inputs[1]) is { } number && IsNear(((Binary)node.Operator).Function == BinaryFunction.Div ? 1 / number : number, 1f / 6);

    /// <summary>The node that makes a value which one node alone reads.</summary>
    private Node? Inner(string value) =>
        !isOutput(value) && readers.TryGetValue(value, out List<Node>? all) && all.Count == 1 ? graph.ProducerOf(value) : null;

    private float? Number(string name) => graph.FindInitializer(name) is { Shape.Count: 1 } constant ? constant.Values[0] : null;

    private static bool IsNear(float a, float b) => MathF.Abs(a - b) <= 1e-4f * MathF.Abs(b);
}
