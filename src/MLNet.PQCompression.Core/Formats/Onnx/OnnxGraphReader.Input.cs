using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>The image input: which one it is, its layout, and the sizes that are tried for what it leaves open.</content>
internal sealed partial class OnnxGraphReader
{
    private ValueInfo Input()
    {
        List<ValueInfoMessage> inputs = graph.Inputs.FindAll(i => !_values.ContainsKey(i.Name));
        ValueInfoMessage image = ImageOf(inputs);
        DocumentInput input = DocumentInput.Of(image, graph)
            ?? throw new InvalidModelException($"its input '{image.Name}' is no image: {image.Dimensions?.Count ?? 0} dimensions, element type {image.ElementType}");
        inputs.Remove(image);
        // Constants for one image fit a batch of one.
        _document = new(file, folder, inputs.Exists(i => i.Dimensions is { Count: > 0 } sizes && sizes[0] < 1) ? input with { Batch = input.Batch ?? 1 } : input) { Opset = Opset() };
        input = _document.Input;
        foreach (ValueInfoMessage other in inputs)
        {
            RawTensor value = OtherInput.ValueOf(other, input, given);
            _document.OtherInputs.Add(other.Name, value);
            _values[other.Name] = value.Count <= OtherInput.MostFolded ? new Constant(other.Name, value) : new Opaque(other.Name);
        }
        _fixedBatch = input.Batch;
        _fixedSize = input.Height > 0 && input.Width > 0;
        bool isReal = OnnxTensors.TryType(input.ElementType, out TensorElementType element) && element.IsReal();
        (ProbedShape shape, string name) = (new(Probing(0), Probing(1)), input.Name);
        Activation pixels = new(name, shape, isReal, IsImage: true);
        _values[name] = input.Layout switch
        {
            ImageLayout.Nchw => pixels,
            ImageLayout.Nhwc => ChannelsLast(pixels),
            _ => new Activation(name, null, IsReal: false),
        };
        return new(name, new(-1, input.Channels, input.Height, input.Width));

        TensorShape Probing(int probe) => new(
            ProbedBatches[probe], input.Channels, input.Height < 0 ? ProbedHeights[probe] : input.Height, input.Width < 0 ? ProbedWidths[probe] : input.Width);
    }

    /// <summary>The input that is the image: the one that is named, the only one, or the only one that can be.</summary>
    private ValueInfoMessage ImageOf(List<ValueInfoMessage> inputs)
    {
        if (given.Image is { } name)
            return inputs.Find(i => i.Name == name) ?? throw WrongInputs(inputs, $"none is called '{name}'");
        if (inputs.Count == 1)
            return inputs[0];
        List<ValueInfoMessage> images = inputs.FindAll(i => i.Dimensions is { Count: >= 3 } && DocumentInput.Of(i, graph) is not null);
        return images.Count == 1 ? images[0] : throw WrongInputs(inputs, images.Count == 0 ? "none can be an image" : $"{images.Count} of them can be images; name one (--input)");
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
    private static InvalidModelException WrongInputs(List<ValueInfoMessage> inputs, string reason) =>
        new($"it has {inputs.Count} inputs ({string.Join(", ", inputs.Take(8).Select(i => i.Name))}); one image input is needed, and {reason}");
}
