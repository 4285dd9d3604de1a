using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLNet.PQCompression.Columns;

namespace MLNet.PQCompression.Saving;

/// <summary>Puts a saved chain together, each transformer fitted to what the ones before make of no rows at all.</summary>
internal sealed class ChainBuilder
{
    private readonly List<ITransformer> _chain = [];
    private IDataView _data;

    /// <summary>Begins with the image column under its inner name and the network as text.</summary>
    /// <param name="transforms">Makes the transformers.</param>
    /// <param name="inputName">The image column.</param>
    /// <param name="kind">Its type.</param>
    /// <param name="size">The size of its images, where the type tells it.</param>
    /// <param name="key">Makes the constant by which the network is looked up.</param>
    /// <param name="text">The network.</param>
    public ChainBuilder(TransformsCatalog transforms, string inputName, ImageColumnKind kind, ImageSize? size, IEstimator<ITransformer> key, string text)
    {
        _data = new EmptyDataView(inputName, TypeOf(kind, size));
        // A mapping binds images of registered types only, and each size is a type of its own: images of known size go in as their pixels.
        if (size is null)
            Add(transforms.CopyColumns(InnerColumns.Image, inputName));
        else
            Add(transforms.ExtractPixels(InnerColumns.Image, inputName, interleavePixelColors: true, outputAsFloatArray: false));
        Add(key);
        Add(transforms.Conversion.MapValue(InnerColumns.Model, [KeyValuePair.Create(0, text)], InnerColumns.Key));
    }

    /// <summary>Adds a transformer.</summary>
    public void Add<T>(IEstimator<T> estimator) where T : class, ITransformer => Add(estimator.Fit(_data));

    /// <summary>Adds a transformer that was fitted to something else.</summary>
    public void Add(ITransformer transformer)
    {
        _chain.Add(transformer);
        _data = transformer.Transform(_data);
    }

    /// <summary>The chain.</summary>
    public TransformerChain<ITransformer> Build() => new([.. _chain]);

    private static DataViewType TypeOf(ImageColumnKind kind, ImageSize? size) => kind switch
    {
        ImageColumnKind.Image when size is not null => new ImageDataViewType(size.Height, size.Width),
        ImageColumnKind.Image => new ImageDataViewType(),
        ImageColumnKind.Pixels => new VectorDataViewType(NumberDataViewType.Single),
        ImageColumnKind.Encoded => new VectorDataViewType(NumberDataViewType.Byte),
        _ => TextDataViewType.Instance,
    };
}
