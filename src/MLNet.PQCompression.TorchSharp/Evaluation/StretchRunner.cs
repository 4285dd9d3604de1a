using MLNet.PQCompression.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Evaluation;

/// <summary>Runs nodes in order on a device. Shapes are checked before libtorch sees them, since a mismatch there may end the process.</summary>
internal static class StretchRunner
{
    /// <summary>Computes nodes.</summary>
    /// <param name="nodes">The nodes, in order.</param>
    /// <param name="values">Gives each value that is read and not made here, constants too.</param>
    /// <param name="mode">How to train, or not to.</param>
    /// <param name="isWanted">Which outputs to hand out.</param>
    /// <returns>The wanted outputs, in the caller's dispose scope. Without gradients, what is read no more is given back at once.</returns>
    /// <exception cref="InvalidModelException">The inputs of a node do not fit it.</exception>
    public static Dictionary<string, Tensor> Run(IReadOnlyList<Node> nodes, Func<string, Tensor> values, OperatorMode mode, Func<string, bool> isWanted)
    {
        Dictionary<string, int> readers = nodes.SelectMany(n => n.Inputs.Distinct()).GroupBy(name => name, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        var made = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        var wanted = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (Node node in nodes)
        {
            Tensor[] inputs = [.. node.Inputs.Select(name => made.TryGetValue(name, out Tensor? own) ? own : values(name))];
            TensorShape shape = ShapeInference.OutputShape(node, [.. inputs.Select(TorchOperators.ShapeOf)]);
            made[node.Output] = Compute(node.Operator, inputs, shape, mode);
            if (isWanted(node.Output))
                wanted[node.Output] = made[node.Output];
            foreach (string name in node.Inputs.Distinct())
                if (--readers[name] == 0 && made.Remove(name, out Tensor? spent) && !spent.requires_grad && !wanted.ContainsKey(name))
                    spent.Dispose();
        }
        return wanted;
    }

    /// <summary>One operator; what it makes on its way is given back as soon as its output is there.</summary>
    private static Tensor Compute(Operator op, Tensor[] inputs, TensorShape shape, OperatorMode mode)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor output = TorchOperators.Compute(op, inputs, shape, mode);
        return (inputs.Contains(output) ? output.alias() : output).MoveToOuterDisposeScope();
    }
}
