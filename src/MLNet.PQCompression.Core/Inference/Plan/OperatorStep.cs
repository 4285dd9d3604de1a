using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>An operator without a blocked kernel, computed in the plain layout as <see cref="NodeEvaluator"/> does.</summary>
internal sealed class OperatorStep(Node node, (PlanValue? Value, Activation? Constant, TensorShape Shape)[] operands, PlanValue output, TensorShape shape)
    : Step(node.Name, output, [.. operands.Select(o => o.Value).OfType<PlanValue>()])
{
    public override string Kernel => node.Operator.OnnxName;

    public override int Parts(Workspace workspace, int phase) => workspace.Count;

    /// <summary>Computes one image, whatever the operator does with the dimension of the batch.</summary>
    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        var inputs = new Activation[operands.Length];
        for (int i = 0; i < inputs.Length; i++)
            inputs[i] = operands[i].Constant ?? new Activation(operands[i].Shape, workspace.Memory(operands[i].Value!, part));
        NodeEvaluator.Compute(node.Operator, inputs, new(shape, workspace.Memory(Output!, part)), null);
    }
}
