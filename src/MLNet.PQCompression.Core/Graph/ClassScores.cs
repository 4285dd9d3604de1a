namespace MLNet.PQCompression.Graph;

/// <summary>Tells whether a network's output is scores of classes.</summary>
internal static class ClassScores
{
    /// <summary>
    /// Whether the only output is scores: the model carries names of classes, or the output is made by a Softmax or by a linear layer, changes of shape aside; and it is no map and no list of boxes.
    /// </summary>
    public static bool AreOutputOf(ModelGraph model)
    {
        if (model.Outputs.Length != 1 || !MayBeOneRow(model.Outputs[0].Shape))
            return false;
        if (model.Metadata.ContainsKey(ClassNames.MetadataKey))
            return true;
        Node? last = model.ProducerOf(model.OutputName);
        while (last is { Operator: Flatten or Reshape })
            last = model.ProducerOf(last.Inputs[0]);
        bool isBiasedProduct = last is { Operator: Binary { Function: BinaryFunction.Add } } && last.Inputs.Any(i => model.ProducerOf(i)?.Operator is MatMul or Gemm);
        return last?.Operator is Softmax or Gemm or MatMul || isBiasedProduct;
    }

    /// <summary>Whether a declared shape lets an image have one number for each of several classes: N×C, perhaps with further dimensions of 1, or not declared at all.</summary>
    public static bool MayBeOneRow(TensorShape shape) => shape.Rank < 2 || (shape[1] != 1 && shape.Dimensions.Skip(2).All(d => d == 1));
}
