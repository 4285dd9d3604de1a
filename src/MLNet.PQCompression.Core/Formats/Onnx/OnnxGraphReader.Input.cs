using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>The image input: which one it is, its layout, and the sizes that are tried for what it leaves open.</content>
internal sealed partial class OnnxGraphReader
{
    private ValueInfo Input()
    {
        List<ValueInfoMessage> inputs = graph.Inputs.FindAll(i => !_values.ContainsKey(i.Name));
        if (inputs.Count != 1)
            throw WrongInputs(inputs);
        DocumentInput input = DocumentInput.Of(inputs[0], graph)
            ?? throw new InvalidModelException($"its input '{inputs[0].Name}' is no image: {inputs[0].Dimensions?.Count ?? 0} dimensions, element type {inputs[0].ElementType}");
        _document = new(file, folder, input);
        _fixedBatch = input.Batch;
        _fixedSize = input.Height > 0 && input.Width > 0;
        bool isReal = OnnxTensors.TryType(input.ElementType, out TensorElementType element) && element.IsReal();
        (ProbedShape shape, string name) = (new(Probing(0), Probing(1)), input.Name);
        Activation image = new(name, shape, isReal, IsImage: true);
        _values[name] = input.Layout switch
        {
            ImageLayout.Nchw => image,
            ImageLayout.Nhwc => ChannelsLast(image),
            _ => new Activation(name, null, IsReal: false),
        };
        return new(name, new(-1, input.Channels, input.Height, input.Width));

        TensorShape Probing(int probe) => new(
            ProbedBatches[probe], input.Channels, input.Height < 0 ? ProbedHeights[probe] : input.Height, input.Width < 0 ? ProbedWidths[probe] : input.Width);
    }

    /// <summary>What a document that takes images with their channels last reads. Its own Transpose, usually the first node, undoes this one.</summary>
    private Activation ChannelsLast(Activation image)
    {
        Activation turned = Emit(_nodeNames.Take(image.Name), new Transpose([.. ChannelsLastPermutation]), [image], image.Name + ".channels_last") with { IsReal = image.IsReal, IsImage = true };
        _turned.Add(turned.Name, (image, ChannelsLastPermutation));
        return turned;
    }

    private static bool Undoes(long[] permutation, int[] other)
    {
        bool undoes = permutation.Length == other.Length;
        for (int i = 0; undoes && i < other.Length; i++)
            undoes = permutation[i] >= 0 && permutation[i] < other.Length && other[permutation[i]] == i;
        return undoes;
    }

    // Apart, so that LINQ is loaded only for the message.
    private static InvalidModelException WrongInputs(List<ValueInfoMessage> inputs) =>
        new($"it has {inputs.Count} inputs ({string.Join(", ", inputs.Take(8).Select(i => i.Name))}); one image input is needed");
}
